import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { AlbTraffic } from './aws/alb-traffic.ts';
import { clientOptions } from './aws/client-options.ts';
import { CloudWatchAlarms } from './aws/cloudwatch-alarms.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { EcrImages } from './aws/ecr-images.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { SfnWaits } from './aws/sfn-waits.ts';
import { SsmSettings } from './aws/ssm-settings.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { planDeployment, planDeploymentInput } from './steps/plan-deployment.ts';

export const create = entry({
  name: 'plan-deployment',
  input: planDeploymentInput,
  wire: (env, aws, { tally }) => {
    const { LEDGER_TABLE, SETTINGS_PREFIX } = variables(env, 'LEDGER_TABLE', 'SETTINGS_PREFIX');
    const options = clientOptions(aws, 'none');
    const ports = {
      settings: new SsmSettings(tally.count(new SSMClient(options)), SETTINGS_PREFIX),
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      traffic: new AlbTraffic(tally.count(new ElasticLoadBalancingV2Client(options))),
      fleet: new EcsFleet(tally.count(new ECSClient(options))),
      alarms: new CloudWatchAlarms(tally.count(new CloudWatchClient(options))),
      waits: new SfnWaits(tally.count(new SFNClient(options))),
      images: new EcrImages(tally.count(new ECRClient(options))),
      now: Date.now,
    };
    return (input) => planDeployment(input, ports);
  },
});
export const handler = create(process.env, {});
