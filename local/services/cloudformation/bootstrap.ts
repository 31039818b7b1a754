/** What `cdk bootstrap` leaves in an account, as far as the CLI and synthesized templates look for it. */
import { accountId, iamArn, region } from '../../account.ts';
import type { CallService } from './environment.ts';

const qualifier = 'hnb659fds';

/** The version of the pinned CLI's own bootstrap template; templates ask for at least 6. */
const version = '33';

const roles = [
  'deploy-role',
  'file-publishing-role',
  'image-publishing-role',
  'lookup-role',
  'cfn-exec-role',
];

/** The bucket that assets are published to. */
const assetBucket = `cdk-${qualifier}-assets-${accountId}-${region}`;

/** The parameter that tells the version, the roles that the CLI assumes, and the bucket. */
export async function bootstrap(options: {
  readonly call: CallService;
  readonly createBucket: (bucket: string) => Promise<void>;
}): Promise<void> {
  const { call } = options;
  await call('ssm', 'PutParameter', {
    Name: `/cdk-bootstrap/${qualifier}/version`,
    Type: 'String',
    Value: version,
    Overwrite: true,
  });
  await options.createBucket(assetBucket);
  for (const role of roles) {
    const RoleName = `cdk-${qualifier}-${role}-${accountId}-${region}`;
    await call('iam', 'CreateRole', {
      RoleName,
      AssumeRolePolicyDocument: document({
        Effect: 'Allow',
        Principal: { AWS: iamArn('root') },
        Action: 'sts:AssumeRole',
      }),
    });
    // Wider than AWS's own: whoever reaches the port is the account's root anyway.
    await call('iam', 'PutRolePolicy', {
      RoleName,
      PolicyName: 'default',
      PolicyDocument: document({ Effect: 'Allow', Action: '*', Resource: '*' }),
    });
  }
}

function document(statement: object): string {
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
}
