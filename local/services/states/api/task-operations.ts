/** The answers to tasks that wait for their token. */
import type {
  SendTaskFailureCommandInput,
  SendTaskFailureCommandOutput,
  SendTaskHeartbeatCommandInput,
  SendTaskHeartbeatCommandOutput,
  SendTaskSuccessCommandInput,
  SendTaskSuccessCommandOutput,
} from '@aws-sdk/client-sfn';
import type { Output } from '../../../call.ts';
import type { Tokens } from '../tokens.ts';
import { requireLength, requireOutput } from './constraints.ts';

export function taskOperations(tokens: Tokens) {
  return {
    SendTaskSuccess(input: SendTaskSuccessCommandInput): Output<SendTaskSuccessCommandOutput> {
      const token = input.taskToken ?? '';
      const output = requireOutput(input.output ?? '');
      tokens.take(token).succeeded(output);
      return {};
    },

    SendTaskFailure(input: SendTaskFailureCommandInput): Output<SendTaskFailureCommandOutput> {
      const token = input.taskToken ?? '';
      requireLength('error', input.error, 256);
      requireLength('cause', input.cause, 32_768);
      tokens.take(token).failed(input.error, input.cause);
      return {};
    },

    SendTaskHeartbeat(input: SendTaskHeartbeatCommandInput): Output<SendTaskHeartbeatCommandOutput> {
      const token = input.taskToken ?? '';
      tokens.holder(token).heartbeat();
      return {};
    },
  };
}
