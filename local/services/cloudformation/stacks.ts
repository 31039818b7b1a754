/** All stacks of the account, and what runs on them. */
import { randomUUID } from 'node:crypto';
import { arn } from '../../account.ts';
import type { Clock } from '../../clock.ts';
import { Deployment, type OnFailure } from './deployment.ts';
import { type Environment, reasonOf } from './environment.ts';
import type { Exports } from './outputs.ts';
import type { ResourceTypes } from './resource-types.ts';
import { Stack, type Target } from './stack.ts';
import { invalid } from './template.ts';

export interface StacksOptions {
  readonly environment: Environment;
  readonly types: ResourceTypes;
  readonly onFailure: (failure: unknown) => void;
}

export class Stacks implements Exports {
  readonly #environment: Environment;
  readonly #types: ResourceTypes;
  readonly #onFailure: (failure: unknown) => void;
  readonly #byId = new Map<string, Stack>();
  readonly #running = new Map<Stack, Promise<void>>();

  constructor(options: StacksOptions) {
    this.#environment = options.environment;
    this.#types = options.types;
    this.#onFailure = options.onFailure;
  }

  get clock(): Clock {
    return this.#environment.clock;
  }

  /** Newest first; deleted ones too. */
  all(): Stack[] {
    return [...this.#byId.values()].toReversed();
  }

  live(): Stack[] {
    return this.all().filter(({ status }) => status !== 'DELETE_COMPLETE');
  }

  /** By name, or by id, which finds deleted stacks too. */
  find(nameOrId: string): Stack | undefined {
    return this.#byId.get(nameOrId) ?? this.live().find(({ name }) => name === nameOrId);
  }

  /** Throws in the words that most operations use. */
  get(nameOrId: string | undefined): Stack {
    const stack = this.find(nameOrId ?? '');
    if (stack === undefined) throw invalid(`Stack [${nameOrId}] does not exist`);
    return stack;
  }

  /** A stack that is not yet one of the account's. */
  draft(name: string, options: { terminationProtection?: boolean } = {}): Stack {
    if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name)) {
      throw invalid(
        `1 validation error detected: Value '${name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*`,
      );
    }
    const id = arn('cloudformation', `stack/${name}/${randomUUID()}`);
    return new Stack({ id, name, clock: this.clock, uuid: randomUUID, ...options });
  }

  add(stack: Stack): void {
    this.#byId.set(stack.id, stack);
  }

  create(
    stack: Stack,
    target: Target,
    options: { onFailure: OnFailure; token: string | undefined },
  ): Promise<void> {
    stack.disableRollback = options.onFailure === 'DO_NOTHING';
    stack.enter('CREATE_IN_PROGRESS', options.token, 'User Initiated');
    return this.#run(stack, 'CREATE_FAILED', options.token, (run) => run.create(target, options.onFailure));
  }

  update(
    stack: Stack,
    target: Target,
    options: { rollback: boolean; token: string | undefined },
  ): Promise<void> {
    stack.disableRollback = !options.rollback;
    stack.enter('UPDATE_IN_PROGRESS', options.token, 'User Initiated');
    return this.#run(stack, 'UPDATE_FAILED', options.token, (run) => run.update(target, options.rollback));
  }

  delete(stack: Stack, options: { retain: readonly string[]; token: string | undefined }): Promise<void> {
    return this.#run(stack, 'DELETE_FAILED', options.token, (run) =>
      run.delete(options.retain, 'User Initiated'),
    );
  }

  /** Resolves when nothing runs on the stack any more. */
  async settled(stack: Stack): Promise<void> {
    await this.#running.get(stack);
  }

  value(name: string): string | undefined {
    return this.exporter(name)?.outputs.find(({ exportName }) => exportName === name)?.value;
  }

  exporter(name: string): Stack | undefined {
    return this.live().find(({ outputs }) => outputs.some(({ exportName }) => exportName === name));
  }

  importers(name: string): readonly Stack[] {
    return this.live().filter(({ imports }) => imports.has(name));
  }

  #run(
    stack: Stack,
    failed: 'CREATE_FAILED' | 'UPDATE_FAILED' | 'DELETE_FAILED',
    token: string | undefined,
    operation: (run: Deployment) => Promise<void>,
  ): Promise<void> {
    const run = new Deployment({
      stack,
      types: (name) => this.#types.get(name),
      environment: this.#environment,
      exports: this,
      token,
    });
    const finished = operation(run)
      // Anything else than a resource's failure is a defect here: told, and shown as the stack's.
      .catch((failure: unknown) => {
        stack.enter(failed, token, reasonOf(failure));
        this.#onFailure(failure);
      })
      .finally(() => this.#running.delete(stack));
    this.#running.set(stack, finished);
    return finished;
  }
}
