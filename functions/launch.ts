import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { EcrImageChecks } from './aws/ecr-image-checks.ts';
import { EcrImages } from './aws/ecr-images.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { launch, launchInput } from './steps/launch.ts';

export const create = entry({
  name: 'launch',
  input: launchInput,
  wire: (env, aws, { tally }) => {
    const { LEDGER_TABLE } = variables(env, 'LEDGER_TABLE');
    const options = clientOptions(aws, 'none');
    const ecr = tally.count(new ECRClient(options));
    const ports = {
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      fleet: new EcsFleet(tally.count(new ECSClient(options))),
      scaling: new ApplicationAutoScaling(tally.count(new ApplicationAutoScalingClient(options))),
      images: new EcrImages(ecr),
      imageChecks: new EcrImageChecks(ecr),
      now: Date.now,
    };
    return (input) => launch(input, ports);
  },
});
export const handler = create(process.env, {});
