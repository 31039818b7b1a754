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
  wire: (env, aws) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'none');
    const ports = {
      ledger: new DynamoLedger(new DynamoDBClient(options), LEDGER_TABLE),
      executions: new SfnExecutions(new SFNClient(options)),
      now: Date.now,
    };
    return (input) => planRecovery(input, ports);
  },
});
export const handler = create(process.env, {});
