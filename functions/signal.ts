import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { SfnWaits } from './aws/sfn-waits.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { signal } from './steps/signal.ts';

export const create = entry({
  name: 'signal',
  input: z.unknown(),
  wire: (env, aws, { logger }) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'sdk');
    const ports = {
      ledger: new DynamoLedger(new DynamoDBClient(options), LEDGER_TABLE),
      waits: new SfnWaits(new SFNClient(options)),
      now: Date.now,
    };
    return async (event) => {
      const output = await signal(event, ports);
      const [only, ...more] = output.deployments;
      if (only !== undefined)
        logger.appendKeys({ deployment: more.length === 0 ? only : output.deployments });
      return output;
    };
  },
});
export const handler = create(process.env, {});
