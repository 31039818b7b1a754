/** The answers to tasks that wait for their token. */
import type {
  SendTaskFailureCommandInput,
  SendTaskFailureCommandOutput,
  SendTaskHeartbeatCommandInput,
  SendTaskHeartbeatCommandOutput,
  SendTaskSuccessCommandInput,
  SendTaskSuccessCommandOutput,
} from '@aws-sdk/client-sfn';
import type { Call, Output } from '../../../call.ts';
import type { Tokens } from '../tokens.ts';
import type { Access } from './access.ts';
import { requireLength, requireOutput } from './constraints.ts';

export function taskOperations({ tokens, access }: { readonly tokens: Tokens; readonly access: Access }) {
  return {
    SendTaskSuccess(input: SendTaskSuccessCommandInput, call: Call): Output<SendTaskSuccessCommandOutput> {
      const token = input.taskToken ?? '';
      access.require(call, 'SendTaskSuccess', tokens.machineOf(token));
      const output = requireOutput(input.output ?? '');
      tokens.take(token).succeeded(output);
      return {};
    },

    SendTaskFailure(input: SendTaskFailureCommandInput, call: Call): Output<SendTaskFailureCommandOutput> {
      const token = input.taskToken ?? '';
      access.require(call, 'SendTaskFailure', tokens.machineOf(token));
      requireLength('error', input.error, 256);
      requireLength('cause', input.cause, 32_768);
      tokens.take(token).failed(input.error, input.cause);
      return {};
    },

    SendTaskHeartbeat(
      input: SendTaskHeartbeatCommandInput,
      call: Call,
    ): Output<SendTaskHeartbeatCommandOutput> {
      const token = input.taskToken ?? '';
      access.require(call, 'SendTaskHeartbeat', tokens.machineOf(token));
      tokens.holder(token).heartbeat();
      return {};
    },
  };
}
