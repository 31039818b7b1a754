import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ECSClient } from '@aws-sdk/client-ecs';
import { ApplicationAutoScaling } from './aws/application-autoscaling.ts';
import { AsgFleet } from './aws/asg-fleet.ts';
import { AsgScaling } from './aws/asg-scaling.ts';
import { FleetByKind, ScalingByKind } from './aws/by-kind.ts';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { Ec2Images } from './aws/ec2-images.ts';
import { EcrImageChecks } from './aws/ecr-image-checks.ts';
import { EcrImages } from './aws/ecr-images.ts';
import { EcsFleet } from './aws/ecs-fleet.ts';
import { ImagesByRepository } from './aws/images-by-repository.ts';
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
    const ec2 = tally.count(new EC2Client(options));
    const autoscaling = tally.count(new AutoScalingClient(options));
    const ports = {
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      fleet: new FleetByKind({
        ecs: new EcsFleet(tally.count(new ECSClient(options))),
        asg: new AsgFleet(autoscaling, ec2),
      }),
      scaling: new ScalingByKind({
        ecs: new ApplicationAutoScaling(tally.count(new ApplicationAutoScalingClient(options))),
        asg: new AsgScaling(autoscaling),
      }),
      images: new ImagesByRepository({ ecr: new EcrImages(ecr), amis: new Ec2Images(ec2) }),
      imageChecks: new EcrImageChecks(ecr),
      now: Date.now,
    };
    return (input) => launch(input, ports);
  },
});
export const handler = create(process.env, {});
