import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AlbTraffic } from './aws/alb-traffic.ts';
import { AsgGroups } from './aws/asg-group.ts';
import { RunningFleetByKind } from './aws/by-kind.ts';
import { clientOptions } from './aws/client-options.ts';
import { CloudWatchAlarms } from './aws/cloudwatch-alarms.ts';
import { CloudWatchMetricGates } from './aws/cloudwatch-metric-gates.ts';
import { CloudWatchRequests } from './aws/cloudwatch-requests.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { sleep } from './aws/pause.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { judge, judgeInput } from './steps/judge.ts';

export const create = entry({
  name: 'judge',
  input: judgeInput,
  wire: (env, aws) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'none');
    const cloudwatch = new CloudWatchClient(options);
    const ports = {
      ledger: new DynamoLedger(new DynamoDBClient(options), LEDGER_TABLE),
      fleet: new RunningFleetByKind({
        ecs: new EcsFleet(new ECSClient(options)),
        asg: new AsgGroups(new AutoScalingClient(options)),
      }),
      traffic: new AlbTraffic(new ElasticLoadBalancingV2Client(options)),
      alarms: new CloudWatchAlarms(cloudwatch),
      requests: new CloudWatchRequests(cloudwatch),
      metrics: new CloudWatchMetricGates(cloudwatch),
      sleep,
      now: Date.now,
    };
    return (input) => judge(input, ports);
  },
});
export const handler = create(process.env, {});
