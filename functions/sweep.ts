import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
import { AsgDrains } from './aws/asg-drains.ts';
import { AsgFleet } from './aws/asg-fleet.ts';
import { AsgScaling } from './aws/asg-scaling.ts';
import { FleetByKind, ScalingByKind } from './aws/by-kind.ts';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { Ec2Images } from './aws/ec2-images.ts';
import { EcrImages } from './aws/ecr-images.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { ImagesByRepository } from './aws/images-by-repository.ts';
import { SfnExecutions } from './aws/sfn-executions.ts';
import { SsmSettings } from './aws/ssm-settings.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { sweep } from './steps/sweep.ts';

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html */
const scheduled = z.object({ 'detail-type': z.literal('Scheduled Event') });

/** Called by schedule, and when an execution ends; which one is not looked at: the ledger decides. */
export const create = entry({
  name: 'sweep',
  input: z.unknown(),
  wire: (env, aws) => {
    const names = variables(
      env,
      'LEDGER_TABLE',
      'SETTINGS_PREFIX',
      'DEPLOY_MACHINE',
      'RECOVER_MACHINE',
      'RETIRE_MACHINE',
    );
    const options = clientOptions(aws, 'sdk');
    const ec2 = new EC2Client(options);
    const autoscaling = new AutoScalingClient(options);
    const ports = {
      settings: new SsmSettings(new SSMClient(options), names.SETTINGS_PREFIX),
      ledger: new DynamoLedger(new DynamoDBClient(options), names.LEDGER_TABLE),
      images: new ImagesByRepository({
        ecr: new EcrImages(new ECRClient(options)),
        amis: new Ec2Images(ec2),
      }),
      fleet: new FleetByKind({
        ecs: new EcsFleet(new ECSClient(options)),
        asg: new AsgFleet(autoscaling, ec2),
      }),
      scaling: new ScalingByKind({
        ecs: new ApplicationAutoScaling(new ApplicationAutoScalingClient(options)),
        asg: new AsgScaling(autoscaling),
      }),
      drains: new AsgDrains(autoscaling),
      executions: new SfnExecutions(new SFNClient(options)),
      deploy: names.DEPLOY_MACHINE,
      recover: names.RECOVER_MACHINE,
      retire: names.RETIRE_MACHINE,
      now: Date.now,
    };
    return (event) => sweep(ports, scheduled.safeParse(event).success ? 'everything' : 'open');
  },
});
export const handler = create(process.env, {});
