import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { SFNClient } from '@aws-sdk/client-sfn';
import * as z from 'zod';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { SfnExecutions } from './aws/sfn-executions.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { sweep } from './steps/sweep.ts';

/** Called by schedule and when an execution ends; what the event says is not looked at: the ledger decides. */
export const create = entry({
  name: 'sweep',
  input: z.unknown(),
  wire: (env, aws) => {
    const names = variables(env, 'LEDGER_TABLE', 'DEPLOY_MACHINE', 'RECOVER_MACHINE', 'RETIRE_MACHINE');
    const options = clientOptions(aws, 'sdk');
    const ports = {
      ledger: new DynamoLedger(new DynamoDBClient(options), names.LEDGER_TABLE),
      executions: new SfnExecutions(new SFNClient(options)),
      deploy: names.DEPLOY_MACHINE,
      recover: names.RECOVER_MACHINE,
      retire: names.RETIRE_MACHINE,
      now: Date.now,
    };
    return () => sweep(ports);
  },
});
export const handler = create(process.env, {});
