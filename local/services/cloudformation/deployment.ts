/** The three operations on a stack, from the first resource to the last status, with their ways back. */

import { ResourceActions, ResourceFailure } from './actions.ts';
import { creationOrder, decide, deletionOrder, resolvedProperties } from './changes.ts';
import { type Environment, reasonOf } from './environment.ts';
import { StackLookup } from './lookup.ts';
import { type Exports, resolveOutputs } from './outputs.ts';
import { dependencies } from './references.ts';
import type { ResourceType } from './resource-type.ts';
import type { Stack, StackResource, Target } from './stack.ts';

export type OnFailure = 'DELETE' | 'DO_NOTHING' | 'ROLLBACK';

/** What an update has done, newest last: undone from the end. */
interface Done {
  readonly logicalId: string;
  readonly before: StackResource | undefined;
  readonly replaced: boolean;
}

/** What is to be deleted once everything else is done. */
interface Leftover {
  readonly resource: StackResource;
  readonly retain: boolean;
}

export class Deployment {
  readonly #stack: Stack;
  readonly #types: (name: string) => ResourceType;
  readonly #exports: Exports;
  readonly #actions: ResourceActions;
  readonly #token: string | undefined;

  constructor(options: {
    stack: Stack;
    types: (name: string) => ResourceType;
    environment: Environment;
    exports: Exports;
    token: string | undefined;
  }) {
    this.#stack = options.stack;
    this.#types = options.types;
    this.#exports = options.exports;
    this.#token = options.token;
    this.#actions = new ResourceActions(options);
  }

  /** CREATE_COMPLETE, or by `onFailure` ROLLBACK_COMPLETE, CREATE_FAILED or DELETE_COMPLETE. */
  async create(target: Target, onFailure: OnFailure): Promise<void> {
    const stack = this.#stack;
    stack.target = target;
    try {
      const lookup = this.#lookup(target);
      for (const logicalId of creationOrder(target.template, lookup)) {
        const wanted = this.#wanted(logicalId, target, lookup);
        stack.resources.set(logicalId, await this.#actions.create(wanted));
      }
      stack.outputs = resolveOutputs({ stack, target, lookup, exports: this.#exports });
      this.#enter('CREATE_COMPLETE');
    } catch (failure) {
      const reason = failedTo('create', failure);
      keep(stack, failure);
      if (onFailure === 'DO_NOTHING') return this.#enter('CREATE_FAILED', reason);
      if (onFailure === 'DELETE') return this.delete([], `${reason} Deletion requested by user.`);
      this.#enter('ROLLBACK_IN_PROGRESS', `${reason} Rollback requested by user.`);
      const failed = await this.#removeAll((resource) => resource.definition.DeletionPolicy === 'Retain');
      if (failed.length === 0) return this.#enter('ROLLBACK_COMPLETE');
      this.#enter('ROLLBACK_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}].`);
    }
  }

  /** UPDATE_COMPLETE, UPDATE_ROLLBACK_COMPLETE, UPDATE_ROLLBACK_FAILED, or UPDATE_FAILED when it may not roll back. */
  async update(target: Target, rollback: boolean): Promise<void> {
    const stack = this.#stack;
    const done: Done[] = [];
    const leftovers: Leftover[] = [];
    const previous = { outputs: stack.outputs, imports: stack.imports, existing: new Map(stack.resources) };
    try {
      const lookup = this.#lookup(target);
      const order = creationOrder(target.template, lookup);
      for (const logicalId of order) await this.#converge(logicalId, target, lookup, done, leftovers);
      stack.outputs = resolveOutputs({ stack, target, lookup, exports: this.#exports });
      stack.target = target;
      this.#enter('UPDATE_COMPLETE_CLEANUP_IN_PROGRESS');
      const kept = new Set(order);
      for (const logicalId of deletionOrder(previous.existing)) {
        const resource = stack.resources.get(logicalId);
        if (resource === undefined || kept.has(logicalId)) continue;
        stack.resources.delete(logicalId);
        leftovers.push({ resource, retain: retained(resource) });
      }
      await this.#clean(leftovers);
      stack.forgetDeleted();
      this.#enter('UPDATE_COMPLETE');
    } catch (failure) {
      const reason = failedTo('update', failure);
      if (!rollback) {
        keep(stack, failure);
        stack.target = target;
        return this.#enter('UPDATE_FAILED', reason);
      }
      Object.assign(stack, { outputs: previous.outputs, imports: previous.imports });
      await this.#rollBack(reason, failure, done);
    }
  }

  /** DELETE_COMPLETE, or DELETE_FAILED when a resource does not go; `retain` names resources to leave. */
  async delete(retain: readonly string[], reason?: string): Promise<void> {
    this.#enter('DELETE_IN_PROGRESS', reason);
    const failed = await this.#removeAll(
      (resource) => retained(resource) || retain.includes(resource.logicalId),
    );
    if (failed.length === 0) return this.#enter('DELETE_COMPLETE');
    this.#enter('DELETE_FAILED', `The following resource(s) failed to delete: [${failed.join(', ')}]. `);
  }

  /** Brings one resource to what the template says of it. */
  async #converge(
    logicalId: string,
    target: Target,
    lookup: StackLookup,
    done: Done[],
    leftovers: Leftover[],
  ): Promise<void> {
    const stack = this.#stack;
    const before = stack.resources.get(logicalId);
    const wanted = this.#wanted(logicalId, target, lookup);
    if (before === undefined) {
      done.push({ logicalId, before, replaced: false });
      stack.resources.set(logicalId, await this.#actions.create(wanted));
      return;
    }
    const decision = decide(this.#types(before.type), before.properties, wanted.properties);
    if (decision.kind === 'keep' && before.damaged === undefined) {
      stack.resources.set(logicalId, { ...before, definition: wanted.definition });
      return;
    }
    const replaced = decision.kind === 'replace' || before.damaged === 'create';
    const retain = before.definition.UpdateReplacePolicy === 'Retain';
    done.push({ logicalId, before, replaced });
    if (replaced) {
      stack.resources.set(logicalId, await this.#actions.create(wanted, before));
      leftovers.push({ resource: before, retain });
      return;
    }
    const updated = await this.#actions.update(wanted, before);
    stack.resources.set(logicalId, updated);
    if (updated.physicalId !== before.physicalId) leftovers.push({ resource: before, retain });
  }

  /** Everything back to what it was: changed resources by their previous properties, new ones deleted in the end. */
  async #rollBack(reason: string, failure: unknown, done: readonly Done[]): Promise<void> {
    const stack = this.#stack;
    this.#enter('UPDATE_ROLLBACK_IN_PROGRESS', reason);
    const leftovers: Leftover[] = [];
    const failed: string[] = [];
    const left = failure instanceof ResourceFailure ? failure.left : undefined;
    for (const { logicalId, before, replaced } of done.toReversed()) {
      const now = left?.logicalId === logicalId ? left : stack.resources.get(logicalId);
      if (before === undefined) {
        stack.resources.delete(logicalId);
        if (now !== undefined)
          leftovers.push({ resource: now, retain: now.definition.DeletionPolicy === 'Retain' });
        continue;
      }
      stack.resources.set(logicalId, before);
      if (now === undefined || now === before) continue;
      if (replaced) {
        stack.report(before, 'UPDATE_COMPLETE', this.#token);
        leftovers.push({ resource: now, retain: false });
        continue;
      }
      try {
        const restored = await this.#actions.update(
          { logicalId, definition: before.definition, properties: before.properties },
          now,
        );
        stack.resources.set(logicalId, restored);
        if (restored.physicalId !== now.physicalId) leftovers.push({ resource: now, retain: false });
      } catch (again) {
        if (!(again instanceof ResourceFailure)) throw again;
        failed.push(logicalId);
        stack.resources.set(logicalId, again.left ?? now);
      }
    }
    if (failed.length > 0) {
      return this.#enter(
        'UPDATE_ROLLBACK_FAILED',
        `The following resource(s) failed to update: [${failed.join(', ')}].`,
      );
    }
    this.#enter('UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS');
    await this.#clean(leftovers);
    stack.forgetDeleted();
    this.#enter('UPDATE_ROLLBACK_COMPLETE');
  }

  /** A resource that cannot be deleted in a cleanup stays behind, told of by its event: the operation is complete. */
  async #clean(leftovers: readonly Leftover[]): Promise<void> {
    for (const { resource, retain } of leftovers) {
      try {
        await this.#actions.remove(resource, retain);
      } catch (failure) {
        if (!(failure instanceof ResourceFailure)) throw failure;
      }
    }
  }

  async #removeAll(retain: (resource: StackResource) => boolean): Promise<string[]> {
    const failed: string[] = [];
    /** By what stays: a resource is not deleted before those that depend on it. */
    const needed = new Set<string>();
    const known = new Set(this.#stack.resources.keys());
    const stays = (resource: StackResource): void => {
      for (const name of dependencies(resource.definition, known)) needed.add(name);
    };
    for (const logicalId of deletionOrder(this.#stack.resources)) {
      const resource = this.#stack.resources.get(logicalId)!;
      if (needed.has(logicalId)) {
        stays(resource);
        continue;
      }
      try {
        await this.#actions.remove(resource, retain(resource));
        this.#stack.resources.delete(logicalId);
      } catch (failure) {
        if (!(failure instanceof ResourceFailure)) throw failure;
        failed.push(logicalId);
        stays(resource);
      }
    }
    return failed;
  }

  #wanted(logicalId: string, target: Target, lookup: StackLookup): Parameters<ResourceActions['create']>[0] {
    const definition = target.template.Resources[logicalId]!;
    try {
      const properties = resolvedProperties(definition, lookup, this.#types(definition.Type), target.tags);
      return { logicalId, definition, properties };
    } catch (failure) {
      const about = { logicalId, type: definition.Type };
      const verb = this.#stack.resources.has(logicalId) ? 'UPDATE' : 'CREATE';
      this.#stack.report(about, `${verb}_FAILED`, this.#token, reasonOf(failure));
      throw new ResourceFailure(logicalId, reasonOf(failure));
    }
  }

  #lookup(target: Target): StackLookup {
    const imports = new Set<string>();
    this.#stack.imports = imports;
    return new StackLookup({
      template: target.template,
      parameters: target.parameters,
      stackName: this.#stack.name,
      stackId: this.#stack.id,
      notificationArns: target.notificationArns,
      resource: (logicalId) => this.#stack.resources.get(logicalId),
      exported: (name) => {
        imports.add(name);
        return this.#exports.value(name);
      },
    });
  }

  #enter(status: Parameters<Stack['enter']>[0], reason?: string): void {
    this.#stack.enter(status, this.#token, reason);
  }
}

function retained(resource: StackResource): boolean {
  const policy = resource.definition.DeletionPolicy;
  return policy === 'Retain' || policy === 'RetainExceptOnCreate';
}

/** What a failed resource left behind belongs to the stack until it is repaired or deleted. */
function keep(stack: Stack, failure: unknown): void {
  if (failure instanceof ResourceFailure && failure.left !== undefined)
    stack.resources.set(failure.logicalId, failure.left);
}

/** The stack's own words for why it failed. Anything but a resource or the template failing is a defect of ours. */
function failedTo(verb: 'create' | 'update', failure: unknown): string {
  if (failure instanceof ResourceFailure)
    return `The following resource(s) failed to ${verb}: [${failure.logicalId}].`;
  if (failure instanceof Error && failure.name === 'ValidationError') return failure.message;
  throw failure;
}
