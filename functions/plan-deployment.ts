import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { CloudWatchClient } from '@aws-sdk/client-cloudwatch';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import { AlbSurvey } from './aws/alb-survey.ts';
import { AlbTraffic } from './aws/alb-traffic.ts';
import { AsgGroups } from './aws/asg-group.ts';
import { AsgSurvey } from './aws/asg-survey.ts';
import { FleetSurveyorByKind, RunningFleetByKind } from './aws/by-kind.ts';
import { clientOptions } from './aws/client-options.ts';
import { CloudWatchAlarms } from './aws/cloudwatch-alarms.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { Ec2Images } from './aws/ec2-images.ts';
import { EcrImages } from './aws/ecr-images.ts';
import { EcrPlatforms } from './aws/ecr-platforms.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { EcsSurvey } from './aws/ecs-survey.ts';
import { ImagesByRepository, PlatformsByRepository } from './aws/images-by-repository.ts';
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
    const elb = tally.count(new ElasticLoadBalancingV2Client(options));
    const ecs = tally.count(new ECSClient(options));
    const ec2 = tally.count(new EC2Client(options));
    const ecr = tally.count(new ECRClient(options));
    const cloudwatch = tally.count(new CloudWatchClient(options));
    const quotas = tally.count(new ServiceQuotasClient(options));
    const traffic = new AlbTraffic(elb);
    const amis = new Ec2Images(ec2);
    const ports = {
      settings: new SsmSettings(tally.count(new SSMClient(options)), SETTINGS_PREFIX),
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      traffic,
      trafficSurveyor: new AlbSurvey(elb, traffic),
      fleet: new RunningFleetByKind({
        ecs: new EcsFleet(ecs),
        asg: new AsgGroups(tally.count(new AutoScalingClient(options))),
      }),
      fleetSurveyor: new FleetSurveyorByKind({
        ecs: new EcsSurvey({ ecs, ec2, quotas, cloudwatch, now: Date.now }),
        asg: new AsgSurvey({ ec2, quotas, cloudwatch, now: Date.now }),
      }),
      alarms: new CloudWatchAlarms(cloudwatch),
      waits: new SfnWaits(tally.count(new SFNClient(options))),
      images: new ImagesByRepository({ ecr: new EcrImages(ecr), amis }),
      imagePlatforms: new PlatformsByRepository({ ecr: new EcrPlatforms(ecr), amis }),
      now: Date.now,
    };
    return (input) => planDeployment(input, ports);
  },
});
export const handler = create(process.env, {});
