import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
import { AsgScaling } from './aws/asg-scaling.ts';
import { ScalingByKind } from './aws/by-kind.ts';
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
    const options = clientOptions(aws, 'none');
    const ports = {
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      scaling: new ScalingByKind({
        ecs: new ApplicationAutoScaling(tally.count(new ApplicationAutoScalingClient(options))),
        asg: new AsgScaling(tally.count(new AutoScalingClient(options))),
      }),
      now: Date.now,
    };
    return (input) => promote(input, ports);
  },
});
export const handler = create(process.env, {});
