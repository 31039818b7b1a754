import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ECRClient } from '@aws-sdk/client-ecr';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { SSMClient } from '@aws-sdk/client-ssm';
import { AlbTraffic } from './aws/alb-traffic.ts';
import { clientOptions } from './aws/client-options.ts';
import { DynamoLedger } from './aws/dynamo-ledger.ts';
import { Ec2Images } from './aws/ec2-images.ts';
import { EcrImages } from './aws/ecr-images.ts';
import { mistakesInFleet } from './aws/fleet-mistakes.ts';
import { ImagesByRepository } from './aws/images-by-repository.ts';
import { SsmSettings } from './aws/ssm-settings.ts';
import { variables } from './core/environment.ts';
import { entry } from './entry.ts';
import { planRollback, planRollbackInput } from './steps/plan-rollback.ts';

export const create = entry({
  name: 'plan-rollback',
  input: planRollbackInput,
  wire: (env, aws, { tally }) => {
    const { LEDGER_TABLE, SETTINGS_PREFIX } = variables(env, 'LEDGER_TABLE', 'SETTINGS_PREFIX');
    const options = clientOptions(aws, 'none');
    const ports = {
      settings: new SsmSettings(tally.count(new SSMClient(options)), SETTINGS_PREFIX),
      ledger: new DynamoLedger(tally.count(new DynamoDBClient(options)), LEDGER_TABLE, tally),
      traffic: new AlbTraffic(tally.count(new ElasticLoadBalancingV2Client(options))),
      fleet: { mistakesIn: mistakesInFleet },
      images: new ImagesByRepository({
        ecr: new EcrImages(tally.count(new ECRClient(options))),
        amis: new Ec2Images(tally.count(new EC2Client(options))),
      }),
      now: Date.now,
    };
    return (input) => planRollback(input, ports);
  },
});
export const handler = create(process.env, {});
