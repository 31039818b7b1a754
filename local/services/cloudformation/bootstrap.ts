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

/** The stack that the CLI asks for where large templates go, such as for a diff. */
const stackName = 'CDKToolkit';

/** The stack with the parameter that tells the version, the roles that the CLI assumes, and the bucket. */
export async function bootstrap(options: {
  readonly call: CallService;
  readonly createBucket: (bucket: string) => Promise<void>;
  /** Resolves when the stack of this name is at rest. */
  readonly settled: (stack: string) => Promise<unknown>;
}): Promise<void> {
  const { call } = options;
  await options.createBucket(assetBucket);
  await call('cloudformation', 'CreateStack', {
    StackName: stackName,
    TemplateBody: JSON.stringify({
      Resources: {
        CdkBootstrapVersion: {
          Type: 'AWS::SSM::Parameter',
          Properties: { Name: `/cdk-bootstrap/${qualifier}/version`, Type: 'String', Value: version },
        },
      },
      Outputs: {
        BootstrapVersion: { Value: version },
        BucketName: { Value: assetBucket },
        BucketDomainName: { Value: `${assetBucket}.s3.${region}.amazonaws.com` },
      },
    }),
  });
  await options.settled(stackName);
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
