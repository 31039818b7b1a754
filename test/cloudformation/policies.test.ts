import type { GetPolicyCommandOutput, ListPolicyVersionsCommandOutput } from '@aws-sdk/client-iam';
import { expect, it } from 'vitest';
import { Account } from './account.ts';

const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'lambda.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};
const named = { Capabilities: ['CAPABILITY_NAMED_IAM'] };

const template = (type: 'Policy' | 'ManagedPolicy', ...resources: readonly string[]) => ({
  Resources: {
    Role: { Type: 'AWS::IAM::Role', Properties: { RoleName: 'shift', AssumeRolePolicyDocument: trust } },
    Rights: {
      Type: `AWS::IAM::${type}`,
      Properties: {
        [type === 'Policy' ? 'PolicyName' : 'ManagedPolicyName']: 'rights',
        Roles: [{ Ref: 'Role' }],
        PolicyDocument: {
          Version: '2012-10-17',
          Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: resources }],
        },
      },
    },
  },
});

it('a managed policy changes as often as one likes, and goes with all its versions', async () => {
  const account = new Account();
  await account.create(template('ManagedPolicy', 'arn:aws:s3:::a0'), named);
  for (let change = 1; change <= 6; change++) {
    const stack = await account.update(template('ManagedPolicy', `arn:aws:s3:::a${change}`), named);
    expect(stack.StackStatus).toBe('UPDATE_COMPLETE');
  }
  const PolicyArn = 'arn:aws:iam::123456789012:policy/rights';
  const { Versions } = (await account.call('iam', 'ListPolicyVersions', {
    PolicyArn,
  })) as ListPolicyVersionsCommandOutput;
  expect(Versions?.map(({ VersionId }) => VersionId)).toEqual(['v7', 'v6', 'v5', 'v4', 'v3']);
  const { Policy } = (await account.call('iam', 'GetPolicy', { PolicyArn })) as GetPolicyCommandOutput;
  expect(Policy?.DefaultVersionId).toBe('v7');
  await account.delete();
  await expect(account.call('iam', 'GetPolicy', { PolicyArn })).rejects.toMatchObject({
    code: 'NoSuchEntityException',
  });
  expect(account.failures).toEqual([]);
});

it.each([
  ['Policy', 10_300, 'Maximum policy size of 10240 bytes exceeded for role shift'],
  ['ManagedPolicy', 6200, 'Cannot exceed quota for PolicySize: 6144'],
] as const)('a stack with a %s that is too large rolls back', async (type, size, reason) => {
  const account = new Account();
  const stack = await account.create(template(type, `arn:aws:s3:::${'a'.repeat(size)}`), named);
  expect(stack.StackStatus).toBe('ROLLBACK_COMPLETE');
  const { events } = await account.cloudformation.settled('shop');
  expect(events.map(({ ResourceStatusReason }) => ResourceStatusReason)).toContainEqual(
    expect.stringContaining(reason),
  );
});
