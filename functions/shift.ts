import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import * as z from 'zod';
import { AlbTraffic } from './aws/alb-traffic.ts';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
import { AsgGroups } from './aws/asg-group.ts';
import { AsgScaling } from './aws/asg-scaling.ts';
import { RunningFleetByKind, ScalingByKind } from './aws/by-kind.ts';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { sleep } from './aws/pause.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { restore, restoreInput } from './steps/restore.ts';
import { shift, shiftInput } from './steps/shift.ts';

/** Forward and back in one function: the way back is warm when it matters, and needs the same permissions. */
export const create = entry({
  name: 'shift',
  input: z.discriminatedUnion('direction', [shiftInput, restoreInput]),
  wire: (env, aws, { tally }) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'none');
    const autoscaling = tally.count(new AutoScalingClient(options));
    const ports = {
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      fleet: new RunningFleetByKind({
        ecs: new EcsFleet(tally.count(new ECSClient(options))),
        asg: new AsgGroups(autoscaling),
      }),
      scaling: new ScalingByKind({
        ecs: new ApplicationAutoScaling(tally.count(new ApplicationAutoScalingClient(options))),
        asg: new AsgScaling(autoscaling),
      }),
      traffic: new AlbTraffic(tally.count(new ElasticLoadBalancingV2Client(options))),
      sleep,
      now: Date.now,
    };
    return (input) => (input.direction === 'forward' ? shift(input, ports) : restore(input, ports));
  },
});
export const handler = create(process.env, {});
