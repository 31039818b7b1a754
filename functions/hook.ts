import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { AsgDrains } from './aws/asg-drains.ts';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { LambdaFunctions } from './aws/lambda-hooks.ts';
import { sleep } from './aws/pause.ts';
import { SfnWaits } from './aws/sfn-waits.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { runDrain, runDrainInput } from './steps/run-drain.ts';
import { runHook, runHookInput } from './steps/run-hook.ts';

/** Has time for a function of a service: nothing of the deployer waits for this one. */
export const create = entry({
  name: 'hook',
  input: z.union([runHookInput, runDrainInput]),
  wire: (env, aws, { logger, tally }) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'sdk');
    const ports = {
      // A call is made again by the hook's own policy.
      functions: new LambdaFunctions(new LambdaClient(clientOptions(aws, 'none'))),
      ledger: new DynamoLedger(new DynamoDBClient(options), LEDGER_TABLE),
      drains: new AsgDrains(new AutoScalingClient(options)),
      waits: new SfnWaits(new SFNClient(options)),
      sleep,
      now: Date.now,
    };
    return async (input) => {
      if ('key' in input) return runHook(input, ports);
      const output = await runDrain(input, { ...ports, caller: tally.written().request });
      if (output.failure !== undefined)
        logger.error(`${input.instance} of ${input.generation} was not drained: ${output.failure}`);
      return output;
    };
  },
});
export const handler = create(process.env, {});
