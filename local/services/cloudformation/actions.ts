/** Creating, updating and deleting one resource, with the events that tell of it. */

import type { ResourceStatus } from '@aws-sdk/client-cloudformation';
import { same } from './changes.ts';
import { resolveDynamic } from './dynamic-references.ts';
import { type Environment, reasonOf, scope } from './environment.ts';
import { isGone } from './gone.ts';
import { asText } from './json.ts';
import { type Properties, type Provisioned, type ResourceType, type Scope, tagMap } from './resource-type.ts';
import type { Stack, StackResource } from './stack.ts';
import type { ResourceDefinition } from './template.ts';

/** A resource's failure; `left` is what exists of it nevertheless. */
export class ResourceFailure extends Error {
  readonly logicalId: string;
  readonly left: StackResource | undefined;

  constructor(logicalId: string, reason: string, left?: StackResource) {
    super(reason);
    this.name = 'ResourceFailure';
    this.logicalId = logicalId;
    this.left = left;
  }
}

interface Wanted {
  readonly logicalId: string;
  readonly definition: ResourceDefinition;
  readonly properties: Properties;
}

const replacing = 'Requested update requires the creation of a new physical resource; hence creating one.';

export class ResourceActions {
  readonly #stack: Stack;
  readonly #types: (name: string) => ResourceType;
  readonly #environment: Environment;
  readonly #token: string | undefined;

  constructor(options: {
    stack: Stack;
    types: (name: string) => ResourceType;
    environment: Environment;
    token: string | undefined;
  }) {
    this.#stack = options.stack;
    this.#types = options.types;
    this.#environment = options.environment;
    this.#token = options.token;
  }

  /** A new resource, or a new one beside the one that it is to replace. */
  async create(wanted: Wanted, replaces?: StackResource): Promise<StackResource> {
    const verb = replaces === undefined ? 'CREATE' : 'UPDATE';
    const type = this.#types(wanted.definition.Type);
    const about = {
      logicalId: wanted.logicalId,
      type: wanted.definition.Type,
      properties: wanted.properties,
    };
    this.#report(
      { ...about, ...physical(replaces) },
      `${verb}_IN_PROGRESS`,
      replaces === undefined ? undefined : replacing,
    );
    let existing: string | undefined;
    try {
      refuseSameName(wanted, type, replaces);
      const properties = await resolveDynamic(wanted.properties, this.#environment);
      const provisioned = await type.create(
        this.#scope(about, {
          exists: (physicalId) => {
            existing = physicalId;
            this.#report({ ...about, physicalId }, `${verb}_IN_PROGRESS`, 'Resource creation Initiated');
          },
          mayExist: (physicalId) => {
            existing = physicalId;
          },
        }),
        properties,
      );
      this.#report({ ...about, physicalId: provisioned.physicalId }, `${verb}_COMPLETE`);
      return this.#recorded(wanted, provisioned);
    } catch (failure) {
      const reason = reasonOf(failure);
      this.#report(
        { ...about, ...(existing === undefined ? {} : { physicalId: existing }) },
        `${verb}_FAILED`,
        reason,
      );
      const left =
        existing === undefined
          ? undefined
          : this.#recorded(wanted, { physicalId: existing, attributes: {} }, 'create');
      throw new ResourceFailure(wanted.logicalId, reason, left);
    }
  }

  /** Changes a resource in place; its physical id may come back as another (custom resources). */
  async update(wanted: Wanted, current: StackResource): Promise<StackResource> {
    const type = this.#types(current.type);
    const about = { logicalId: wanted.logicalId, type: current.type, physicalId: current.physicalId };
    const attempted = { ...current, properties: wanted.properties, damaged: 'update' as const };
    this.#report({ ...about, properties: wanted.properties }, 'UPDATE_IN_PROGRESS');
    try {
      const asked = this.#scope(about, deaf);
      const [before, after] = await Promise.all([
        resolveDynamic(current.properties, this.#environment),
        resolveDynamic(wanted.properties, this.#environment),
      ]);
      if (type.tagging !== undefined) await retag(asked, type.tagging, current, before, after);
      const beyondTags = [...new Set([...Object.keys(before), ...Object.keys(after)])].some(
        (name) => (name !== 'Tags' || type.tagging === undefined) && !same(before[name], after[name]),
      );
      const updated =
        type.update === undefined || !(beyondTags || current.damaged !== undefined)
          ? current
          : await type.update(asked, untagged(type, after), {
              ...current,
              properties: untagged(type, before),
            });
      this.#report(
        { ...about, physicalId: updated.physicalId, properties: wanted.properties },
        'UPDATE_COMPLETE',
      );
      return this.#recorded(wanted, updated);
    } catch (failure) {
      const reason = reasonOf(failure);
      this.#report({ ...about, properties: wanted.properties }, 'UPDATE_FAILED', reason);
      throw new ResourceFailure(wanted.logicalId, reason, attempted);
    }
  }

  /** Deletes a resource, or leaves it alone where its policy says so. */
  async remove(resource: StackResource, retain: boolean): Promise<void> {
    if (retain) return this.#report(resource, 'DELETE_SKIPPED');
    this.#report(resource, 'DELETE_IN_PROGRESS');
    try {
      const properties = await resolveDynamic(resource.properties, this.#environment);
      await this.#types(resource.type).delete(this.#scope(resource, deaf), { ...resource, properties });
    } catch (failure) {
      if (!isGone(failure)) {
        const reason = reasonOf(failure);
        this.#report(resource, 'DELETE_FAILED', reason);
        throw new ResourceFailure(resource.logicalId, reason, resource);
      }
    }
    this.#report(resource, 'DELETE_COMPLETE');
  }

  #recorded(wanted: Wanted, provisioned: Provisioned, damaged?: 'create'): StackResource {
    return {
      logicalId: wanted.logicalId,
      type: wanted.definition.Type,
      definition: wanted.definition,
      physicalId: provisioned.physicalId,
      attributes: provisioned.attributes,
      properties: wanted.properties,
      ...(damaged === undefined ? {} : { damaged }),
    };
  }

  #scope(about: { logicalId: string; type: string }, heard: Pick<Scope, 'exists' | 'mayExist'>): Scope {
    const { logicalId, type } = about;
    const { id: stackId, name: stackName } = this.#stack;
    return scope(this.#environment, { logicalId, type, stackId, stackName }, heard);
  }

  #report(
    about: { logicalId: string; type: string; physicalId?: string; properties?: Properties },
    status: ResourceStatus,
    reason?: string,
  ): void {
    this.#stack.report(about, status, this.#token, reason);
  }
}

/** Tags of types that have operations for them are changed apart, before anything else. */
function untagged(type: ResourceType, properties: Properties): Properties {
  if (type.tagging === undefined) return properties;
  const { Tags: _, ...rest } = properties;
  return rest;
}

/** For resources that are known to exist. */
const deaf = { exists: () => undefined, mayExist: () => undefined };

function physical(resource: StackResource | undefined): { physicalId?: string } {
  return resource === undefined ? {} : { physicalId: resource.physicalId };
}

/** The new one would have to bear the old one's name while the old one is still there. */
function refuseSameName(wanted: Wanted, type: ResourceType, replaces: StackResource | undefined): void {
  const name = type.nameProperty === undefined ? undefined : wanted.properties[type.nameProperty];
  if (name === undefined || replaces === undefined || replaces.properties[type.nameProperty!] !== name)
    return;
  throw new Error(
    `CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename ${asText(name)} and update the stack again.`,
  );
}

async function retag(
  asked: Scope,
  tagging: NonNullable<ResourceType['tagging']>,
  resource: Provisioned,
  before: Properties,
  after: Properties,
): Promise<void> {
  const had = tagsOf(before);
  const wanted = tagsOf(after);
  const removed = Object.keys(had).filter((key) => wanted[key] === undefined);
  const added = Object.entries(wanted).filter(([key, value]) => had[key] !== value);
  const target = tagging.target(resource);
  if (removed.length > 0) {
    const keys =
      tagging.keys === 'Tags'
        ? { Tags: removed.map((Key) => ({ Key })) }
        : { [tagging.keys ?? 'TagKeys']: removed };
    await asked.send(tagging.service, tagging.remove, { ...target, ...keys });
  }
  if (added.length > 0) {
    const Tags =
      tagging.map === true ? Object.fromEntries(added) : added.map(([Key, Value]) => ({ Key, Value }));
    await asked.send(tagging.service, tagging.add, { ...target, Tags });
  }
}

function tagsOf(properties: Properties): Record<string, string> {
  const tags = properties['Tags'];
  if (tags !== undefined && tags !== null && !Array.isArray(tags)) return tags as Record<string, string>;
  return tagMap(tags) ?? {};
}
