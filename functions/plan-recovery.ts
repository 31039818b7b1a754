import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { SfnExecutions } from './aws/sfn-executions.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { planRecovery, planRecoveryInput } from './steps/plan-recovery.ts';

export const create = entry({
  name: 'plan-recovery',
  input: planRecoveryInput,
  wire: (env, aws, { tally }) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'none');
    const ports = {
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      executions: new SfnExecutions(tally.count(new SFNClient(options))),
      now: Date.now,
    };
    return (input) => planRecovery(input, ports);
  },
});
export const handler = create(process.env, {});
