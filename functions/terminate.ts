import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import * as z from 'zod';
import { AlbTraffic } from './aws/alb-traffic.ts';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
import { AsgFleet } from './aws/asg-fleet.ts';
import { AsgScaling } from './aws/asg-scaling.ts';
import { AsgWitness } from './aws/asg-witness.ts';
import { FleetByKind, ScalingByKind, WitnessByKind } from './aws/by-kind.ts';
import { clientOptions } from './aws/client-options.ts';
import { CloudWatchRequests } from './aws/cloudwatch-requests.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { EcsWitness } from './aws/ecs-witness.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { retire, retireInput } from './steps/retire.ts';
import { terminate, terminateInput } from './steps/terminate.ts';

/** Ends the new generation of a deployment that went back, or the old ones whose retention is over. */
export const create = entry({
  name: 'terminate',
  input: z.union([terminateInput, retireInput]),
  wire: (env, aws, { tally }) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'none');
    const ecs = tally.count(new ECSClient(options));
    const autoscaling = tally.count(new AutoScalingClient(options));
    const ec2 = tally.count(new EC2Client(options));
    const logs = tally.count(new CloudWatchLogsClient(options));
    const ports = {
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      fleet: new FleetByKind({ ecs: new EcsFleet(ecs), asg: new AsgFleet(autoscaling, ec2) }),
      scaling: new ScalingByKind({
        ecs: new ApplicationAutoScaling(tally.count(new ApplicationAutoScalingClient(options))),
        asg: new AsgScaling(autoscaling),
      }),
      traffic: new AlbTraffic(tally.count(new ElasticLoadBalancingV2Client(options))),
      witness: new WitnessByKind({
        ecs: new EcsWitness(ecs, logs),
        asg: new AsgWitness(autoscaling, ec2, logs),
      }),
      requests: new CloudWatchRequests(tally.count(new CloudWatchClient(options))),
      now: Date.now,
    };
    return (input) => ('plan' in input ? terminate(input, ports) : retire(input, ports));
  },
});
export const handler = create(process.env, {});
