/** A function of the service that its deployments ask before they shift, and that always lets them go on. */
import { hooksSchema } from '../../functions/core/hooks/hook-settings.ts';
import type { Entries } from '../../local/simulated/function-host.ts';
import type { World } from './world.ts';

/** What Lambda calls, by the name that its handler begins with. */
export const hookEntries: Entries = { willing: () => async () => ({ verdict: 'pass' }) };

const allowing = (statement: object): string =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', ...statement }] });

/** Makes it and its role, lets the deployer call it, as the construct of a service with hooks does, and declares it. */
export async function hooked(world: World): Promise<void> {
  const { Role } = (await world.ask('iam', 'CreateRole', {
    RoleName: 'willing',
    AssumeRolePolicyDocument: allowing({
      Principal: { Service: 'lambda.amazonaws.com' },
      Action: 'sts:AssumeRole',
    }),
  })) as { Role: { Arn: string } };
  const { FunctionArn } = (await world.ask('lambda', 'CreateFunction', {
    FunctionName: 'willing',
    Role: Role.Arn,
    Runtime: 'nodejs24.x',
    Handler: 'willing.handler',
    Timeout: 60,
    Code: { ZipFile: new TextEncoder().encode('willing') },
  })) as { FunctionArn: string };
  const { Functions } = (await world.ask('lambda', 'ListFunctions', {})) as {
    Functions: readonly { Handler: string; Role: string }[];
  };
  await world.ask('iam', 'PutRolePolicy', {
    RoleName: Functions.find(({ Handler }) => Handler === 'hook.handler')
      ?.Role.split('/')
      .at(-1),
    PolicyName: `service-${world.service}`,
    PolicyDocument: allowing({ Action: 'lambda:InvokeFunction', Resource: FunctionArn }),
  });
  await world.declare({
    hooks: hooksSchema.parse([{ name: 'willing', stage: 'testTraffic', function: FunctionArn }]),
  });
}
