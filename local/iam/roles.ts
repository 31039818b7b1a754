/** The account's roles with their trust, their policies and their tags. */
import { accountId, iamArn, partition } from '../account.ts';
import { AwsError, type Principal } from '../call.ts';
import type { Clock } from '../clock.ts';
import { conditionsHold, matchesAction } from './evaluate.ts';
import { hasRole, InstanceProfiles } from './instance-profiles.ts';
import { awsManagedPolicies } from './managed-policies.ts';
import { type Policy, parsePolicy } from './policy.ts';
import { checkAttached, checkInline, checkManaged, checkVersions } from './quotas.ts';
import { uniqueId } from './unique-id.ts';
import { matchesWildcard } from './wildcard.ts';

/** A document as it was given and as it was read. */
export interface PolicyText {
  readonly document: string;
  readonly policy: Policy;
}

export interface Role {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  /** `AROA…`: first part of the user id of the role's sessions. */
  readonly id: string;
  readonly createdAt: Date;
  description: string | undefined;
  maxSessionDuration: number;
  trust: PolicyText;
  readonly inline: Map<string, PolicyText>;
  /** ARNs of managed policies. */
  readonly attached: Set<string>;
  readonly tags: Map<string, string>;
}

/** A policy of the account's own that roles can share. */
export interface ManagedPolicy {
  readonly name: string;
  readonly path: string;
  readonly arn: string;
  readonly id: string;
  readonly createdAt: Date;
  /** Oldest first. */
  readonly versions: PolicyVersion[];
  /** The version that counts. */
  default: PolicyVersion;
  /** Ids of versions are never used again. */
  lastVersion: number;
}

export interface PolicyVersion {
  /** `v1` */
  readonly id: string;
  readonly createdAt: Date;
  readonly text: PolicyText;
}

export class Roles {
  readonly instanceProfiles: InstanceProfiles;
  readonly #roles = new Map<string, Role>();
  readonly #policies = new Map<string, ManagedPolicy>();
  readonly #awsManaged = new Map<string, PolicyText>();
  readonly #clock: Clock;

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
    this.instanceProfiles = new InstanceProfiles(options);
    for (const [arn, document] of awsManagedPolicies)
      this.#awsManaged.set(arn, readPolicy(document, 'identity'));
  }

  create(
    name: string,
    options: { path?: string; trust: string; description?: string; maxSessionDuration?: number },
  ): Role {
    if (this.#roles.has(name)) throw alreadyExists(`Role with name ${name} already exists.`);
    const path = options.path ?? '/';
    const role: Role = {
      name,
      path,
      arn: iamArn(`role${path}${name}`),
      id: uniqueId('AROA'),
      createdAt: new Date(this.#clock.now()),
      description: options.description,
      // One hour, as IAM's default.
      maxSessionDuration: options.maxSessionDuration ?? 3600,
      trust: readPolicy(options.trust, 'trust'),
      inline: new Map(),
      attached: new Set(),
      tags: new Map(),
    };
    this.#roles.set(name, role);
    return role;
  }

  get(name: string): Role {
    const role = this.#roles.get(name);
    if (role === undefined) throw noSuchEntity(`The role with name ${name} cannot be found.`);
    return role;
  }

  byArn(arn: string): Role | undefined {
    const role = this.#roles.get(arn.slice(arn.lastIndexOf('/') + 1));
    return role?.arn === arn ? role : undefined;
  }

  list(): Role[] {
    return [...this.#roles.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  }

  delete(name: string): void {
    const role = this.get(name);
    if (role.attached.size > 0) throw deleteConflict('Cannot delete entity, must detach all policies first.');
    if (role.inline.size > 0) throw deleteConflict('Cannot delete entity, must delete policies first.');
    if (this.instanceProfiles.ofRole(name).length > 0) throw hasRole();
    this.#roles.delete(name);
  }

  putInline(roleName: string, policyName: string, document: string): void {
    const role = this.get(roleName);
    const text = readPolicy(document, 'identity');
    const all = new Map(role.inline).set(policyName, text);
    checkInline(
      roleName,
      [...all.values()].map((each) => each.document),
    );
    role.inline.set(policyName, text);
  }

  attach(roleName: string, policyArn: string): void {
    const role = this.get(roleName);
    this.#managed(policyArn);
    if (!role.attached.has(policyArn)) checkAttached(role.attached.size);
    role.attached.add(policyArn);
  }

  detach(roleName: string, policyArn: string): void {
    if (!this.get(roleName).attached.delete(policyArn))
      throw noSuchEntity(`Policy ${policyArn} was not found.`);
  }

  createPolicy(name: string, options: { path?: string; document: string }): ManagedPolicy {
    const path = options.path ?? '/';
    const arn = iamArn(`policy${path}${name}`);
    if (this.#policies.has(arn))
      throw alreadyExists(`A policy called ${name} already exists. Duplicate names are not allowed.`);
    const first = this.#version(1, options.document);
    const policy: ManagedPolicy = {
      name,
      path,
      arn,
      id: uniqueId('ANPA'),
      createdAt: first.createdAt,
      versions: [first],
      default: first,
      lastVersion: 1,
    };
    this.#policies.set(arn, policy);
    return policy;
  }

  createPolicyVersion(arn: string, options: { document: string; asDefault: boolean }): PolicyVersion {
    const policy = this.policy(arn);
    checkVersions(policy.versions.length);
    const version = this.#version(policy.lastVersion + 1, options.document);
    policy.versions.push(version);
    policy.lastVersion += 1;
    if (options.asDefault) policy.default = version;
    return version;
  }

  policyVersion(arn: string, id: string): PolicyVersion {
    const version = this.policy(arn).versions.find((each) => each.id === id);
    if (version === undefined)
      throw noSuchEntity(`Policy ${arn} version ${id} does not exist or is not attachable.`);
    return version;
  }

  deletePolicyVersion(arn: string, id: string): void {
    const policy = this.policy(arn);
    const version = this.policyVersion(arn, id);
    if (version === policy.default) throw deleteConflict('Cannot delete the default version of a policy.');
    policy.versions.splice(policy.versions.indexOf(version), 1);
  }

  #version(number: number, document: string): PolicyVersion {
    const text = readPolicy(document, 'identity');
    checkManaged(document);
    return { id: `v${number}`, createdAt: new Date(this.#clock.now()), text };
  }

  policy(arn: string): ManagedPolicy {
    const policy = this.#policies.get(arn);
    if (policy === undefined) throw noSuchEntity(`Policy ${arn} was not found.`);
    return policy;
  }

  deletePolicy(arn: string): void {
    this.policy(arn);
    if (this.list().some((role) => role.attached.has(arn))) {
      throw deleteConflict('Cannot delete a policy attached to entities.');
    }
    if (this.policy(arn).versions.length > 1) {
      throw deleteConflict(
        "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
      );
    }
    this.#policies.delete(arn);
  }

  /** Everything that says what the role may do. */
  policiesOf(role: Role): Policy[] {
    return [
      ...[...role.inline.values()].map(({ policy }) => policy),
      ...[...role.attached].map((arn) => this.#managed(arn).policy),
    ];
  }

  /** Whether a service (`lambda.amazonaws.com`) may take the role: what services check when a role is handed to them. */
  assumableByService(roleArn: string, service: string): boolean {
    const role = this.byArn(roleArn);
    return role !== undefined && trusts(role, 'Service', (name) => name === service);
  }

  /** Whether a caller may take the role by `sts:AssumeRole`, as far as the role's trust decides. */
  assumableBy(role: Role, caller: Principal): boolean {
    const root = iamArn('root');
    const own = caller.kind === 'role' ? caller.roleArn : root;
    return trusts(
      role,
      'AWS',
      (name) => name === '*' || name === accountId || name === root || matchesWildcard(name, own),
    );
  }

  #managed(arn: string): PolicyText {
    const text = this.#awsManaged.get(arn) ?? this.#policies.get(arn)?.default.text;
    if (text === undefined) {
      const known = arn.startsWith(`arn:${partition}:iam::aws:`)
        ? ' (the embedded AWS knows few AWS managed policies)'
        : '';
      throw noSuchEntity(`Policy ${arn} does not exist or is not attachable.${known}`);
    }
    return text;
  }
}

export function readPolicy(document: string, kind: 'identity' | 'trust'): PolicyText {
  return { document, policy: parsePolicy(document, kind) };
}

/** Trust policies are evaluated without request context: a condition holds only if it does so for an empty one. */
function trusts(role: Role, kind: string, matches: (name: string) => boolean): boolean {
  const applying = role.trust.policy.statements.filter(
    (statement) =>
      matchesAction(statement, 'sts:AssumeRole') &&
      (statement.principals?.[kind] ?? []).some(matches) &&
      conditionsHold(statement, {}),
  );
  return applying.length > 0 && applying.every(({ effect }) => effect === 'Allow');
}

function noSuchEntity(message: string): AwsError {
  return new AwsError('NoSuchEntityException', message, { status: 404 });
}

function alreadyExists(message: string): AwsError {
  return new AwsError('EntityAlreadyExistsException', message, { status: 409 });
}

function deleteConflict(message: string): AwsError {
  return new AwsError('DeleteConflictException', message, { status: 409 });
}
