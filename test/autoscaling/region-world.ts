/** A region with a network, an image and a role whose policies a test writes. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Principal } from '../../local/call.ts';
import { createRegion } from '../../local/region.ts';
import { BlobStore } from '../../local/registry/blob-store.ts';
import { ManualClock } from '../manual-clock.ts';
import { dataPlane, images } from './world.ts';

const RoleName = 'deployer';
const root: Principal = { kind: 'root' };
export const deployer: Principal = {
  kind: 'role',
  roleArn: `arn:aws:iam::123456789012:role/${RoleName}`,
  session: 'test',
};

const document = (statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements });

export const trust = (Service: string) =>
  document([{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service } }]);

const never = () => Promise.reject(new Error('no task runs here'));

export async function regional() {
  const clock = new ManualClock();
  const folder = await mkdtemp(join(tmpdir(), 'autoscaling-'));
  const region = createRegion({
    clock,
    endpoint: () => 'http://127.0.0.1:4566',
    blobs: await BlobStore.create(folder),
    onFailure: (failure) => {
      throw failure;
    },
    ecs: () => ({
      images: { pull: never },
      tasks: { isolation: 'none', start: never, close: async () => undefined },
    }),
    elbv2: { dataPlane: () => dataPlane(new Set()) },
  });
  const ask = async <T>(
    service: string,
    operation: string,
    input: object,
    principal: Principal = root,
  ): Promise<T> => (await region.dispatcher.call(service, operation, input, principal)) as T;
  const { Vpc } = await ask<{ Vpc: { VpcId: string } }>('ec2', 'CreateVpc', { CidrBlock: '10.0.0.0/16' });
  const { Subnet } = await ask<{ Subnet: { SubnetId: string } }>('ec2', 'CreateSubnet', {
    VpcId: Vpc.VpcId,
    CidrBlock: '10.0.1.0/24',
  });
  await ask('iam', 'CreateRole', { RoleName, AssumeRolePolicyDocument: trust('lambda.amazonaws.com') });
  return {
    clock,
    ask,
    /** A launch template with this beside the image; resolves with its id. */
    template: async (LaunchTemplateName: string, content: object = {}, more: object = {}) => {
      const { LaunchTemplate } = await ask<{ LaunchTemplate: { LaunchTemplateId: string } }>(
        'ec2',
        'CreateLaunchTemplate',
        { LaunchTemplateName, LaunchTemplateData: { ImageId: images[0], ...content }, ...more },
      );
      return LaunchTemplate.LaunchTemplateId;
    },
    allow: (...statements: object[]) =>
      ask('iam', 'PutRolePolicy', {
        RoleName,
        PolicyName: 'deploy',
        PolicyDocument: document(statements.map((each) => ({ Effect: 'Allow', Resource: '*', ...each }))),
      }),
    group: (AutoScalingGroupName: string, changes: object = {}, principal = root) =>
      ask(
        'autoscaling',
        'CreateAutoScalingGroup',
        {
          AutoScalingGroupName,
          MinSize: 0,
          MaxSize: 1,
          LaunchTemplate: { LaunchTemplateName: 'web', Version: '1' },
          VPCZoneIdentifier: Subnet.SubnetId,
          ...changes,
        },
        principal,
      ),
    subnetId: Subnet.SubnetId,
    close: async () => {
      await region.close();
      await rm(folder, { recursive: true });
    },
  };
}
