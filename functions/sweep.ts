import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SSMClient } from '@aws-sdk/client-ssm';
import * as z from 'zod';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { EcrImages } from './aws/ecr-images.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
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
    const ports = {
      settings: new SsmSettings(new SSMClient(options), names.SETTINGS_PREFIX),
      ledger: new DynamoLedger(new DynamoDBClient(options), names.LEDGER_TABLE),
      images: new EcrImages(new ECRClient(options)),
      fleet: new EcsFleet(new ECSClient(options)),
      scaling: new ApplicationAutoScaling(new ApplicationAutoScalingClient(options)),
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
