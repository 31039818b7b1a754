/** Instance profiles by the real SDK client. */
import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  CreateRoleCommand,
  DeleteConflictException,
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  EntityAlreadyExistsException,
  GetInstanceProfileCommand,
  IAMClient,
  LimitExceededException,
  ListInstanceProfilesForRoleCommand,
  NoSuchEntityException,
  RemoveRoleFromInstanceProfileCommand,
} from '@aws-sdk/client-iam';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { clientOptions, embedded } from '../wire/embedded.ts';

const AssumeRolePolicyDocument = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
});
const InstanceProfileName = 'web';
const named = { InstanceProfileName };

let aws: Awaited<ReturnType<typeof embedded>>;
let iam: IAMClient;
beforeEach(async () => {
  aws = await embedded();
  iam = new IAMClient(clientOptions(aws.endpoint));
  for (const RoleName of ['web', 'other'])
    await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument }));
});
afterEach(() => aws.close());

const create = () => iam.send(new CreateInstanceProfileCommand({ ...named, Path: '/apps/' }));
const add = (RoleName: string) => iam.send(new AddRoleToInstanceProfileCommand({ ...named, RoleName }));

it('a profile shows the one role that it has, and is found by it', async () => {
  await create();
  await add('web');
  const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand(named));
  expect(InstanceProfile).toMatchObject({
    Arn: 'arn:aws:iam::123456789012:instance-profile/apps/web',
    InstanceProfileId: expect.stringMatching(/^AIPA/) as unknown,
    Roles: [{ RoleName: 'web' }],
  });
  const { InstanceProfiles } = await iam.send(new ListInstanceProfilesForRoleCommand({ RoleName: 'web' }));
  expect(InstanceProfiles).toEqual([InstanceProfile]);
  await expect(add('other')).rejects.toThrow(LimitExceededException);
  await expect(create()).rejects.toThrow(EntityAlreadyExistsException);
});

it('neither a profile with a role nor a role in a profile can be deleted', async () => {
  await create();
  await add('web');
  const deleteProfile = () => iam.send(new DeleteInstanceProfileCommand(named));
  const deleteRole = () => iam.send(new DeleteRoleCommand({ RoleName: 'web' }));
  await expect(deleteProfile()).rejects.toThrow(DeleteConflictException);
  await expect(deleteRole()).rejects.toThrow(
    'Cannot delete entity, must remove roles from instance profile first.',
  );
  await iam.send(new RemoveRoleFromInstanceProfileCommand({ ...named, RoleName: 'web' }));
  await deleteRole();
  await deleteProfile();
  await expect(deleteProfile()).rejects.toThrow(NoSuchEntityException);
});
