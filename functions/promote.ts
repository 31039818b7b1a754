import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { promote, promoteInput } from './steps/promote.ts';

export const create = entry({
  name: 'promote',
  input: promoteInput,
  wire: (env, aws, { tally }) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const ledger = new DynamoLedger(
      tally.count(new DynamoDBClient(clientOptions(aws, 'none'))),
      LEDGER_TABLE,
      tally,
    );
    return (input) => promote(input, { ledger, now: Date.now });
  },
});
export const handler = create(process.env, {});
