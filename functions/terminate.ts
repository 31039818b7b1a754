import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { CloudWatchLogsClient } from '@aws-sdk/client-cloudwatch-logs';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import * as z from 'zod';
import { AlbTraffic } from './aws/alb-traffic.ts';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
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
    const ports = {
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      fleet: new EcsFleet(ecs),
      scaling: new ApplicationAutoScaling(tally.count(new ApplicationAutoScalingClient(options))),
      traffic: new AlbTraffic(tally.count(new ElasticLoadBalancingV2Client(options))),
      witness: new EcsWitness(ecs, tally.count(new CloudWatchLogsClient(options))),
      requests: new CloudWatchRequests(tally.count(new CloudWatchClient(options))),
      now: Date.now,
    };
    return (input) => ('plan' in input ? terminate(input, ports) : retire(input, ports));
  },
});
export const handler = create(process.env, {});
