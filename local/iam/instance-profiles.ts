/**
 * Instance profiles: what hands a role to instances
 * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_switch-role-ec2_instance-profiles.html).
 */
import { iamArn } from '../account.ts';
import { AwsError } from '../call.ts';
import type { Clock } from '../clock.ts';
import { uniqueId } from './unique-id.ts';

export interface InstanceProfile {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly id: string;
  readonly createdAt: Date;
  /** The name of its role: "An instance profile can contain only one IAM role. This limit cannot be increased." */
  role: string | undefined;
  readonly tags: Map<string, string>;
}

export class InstanceProfiles {
  readonly #clock: Clock;
  readonly #profiles = new Map<string, InstanceProfile>();

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  create(name: string, path: string): InstanceProfile {
    if (this.#profiles.has(name))
      throw new AwsError('EntityAlreadyExistsException', `Instance Profile ${name} already exists.`, {
        status: 409,
      });
    const profile: InstanceProfile = {
      name,
      path,
      arn: iamArn(`instance-profile${path}${name}`),
      id: uniqueId('AIPA'),
      createdAt: new Date(this.#clock.now()),
      role: undefined,
      tags: new Map(),
    };
    this.#profiles.set(name, profile);
    return profile;
  }

  get(name: string): InstanceProfile {
    const profile = this.#profiles.get(name);
    if (profile !== undefined) return profile;
    throw new AwsError('NoSuchEntityException', `Instance Profile ${name} cannot be found.`, { status: 404 });
  }

  /** By what a launch template names it by. */
  find({ Arn, Name }: { Arn?: string | undefined; Name?: string | undefined }): InstanceProfile | undefined {
    return this.list().find(({ arn, name }) => (Arn === undefined ? name === Name : arn === Arn));
  }

  list(): InstanceProfile[] {
    return [...this.#profiles.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  ofRole(role: string): InstanceProfile[] {
    return this.list().filter((profile) => profile.role === role);
  }

  add(name: string, role: string): void {
    const profile = this.get(name);
    // As AWS answered it: https://github.com/getmoto/moto/issues/6404
    if (profile.role !== undefined)
      throw new AwsError(
        'LimitExceededException',
        'Cannot exceed quota for InstanceSessionsPerInstanceProfile: 1',
        { status: 409 },
      );
    profile.role = role;
  }

  removeRole(name: string, role: string): void {
    const profile = this.get(name);
    if (profile.role !== role)
      throw new AwsError('NoSuchEntityException', `The role with name ${role} cannot be found.`, {
        status: 404,
      });
    profile.role = undefined;
  }

  delete(name: string): void {
    if (this.get(name).role !== undefined) throw hasRole();
    this.#profiles.delete(name);
  }
}

/** Also of a role that is in a profile: https://github.com/99designs/iamy/issues/47, https://github.com/99designs/iamy/pull/68 */
export function hasRole(): AwsError {
  return new AwsError(
    'DeleteConflictException',
    'Cannot delete entity, must remove roles from instance profile first.',
    { status: 409 },
  );
}
