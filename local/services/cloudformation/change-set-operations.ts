/** The operations on change sets. */
import { randomUUID } from 'node:crypto';
import type {
  CreateChangeSetCommandInput,
  CreateChangeSetCommandOutput,
  DeleteChangeSetCommandInput,
  DescribeChangeSetCommandInput,
  DescribeChangeSetCommandOutput,
  ExecuteChangeSetCommandInput,
  ListChangeSetsCommandInput,
  ListChangeSetsCommandOutput,
} from '@aws-sdk/client-cloudformation';
import { arn } from '../../account.ts';
import { AwsError, type Operations, type Output } from '../../call.ts';
import { type ChangeSet, describeChangeSet, noChanges, summary } from './change-set.ts';
import type { PlannedChange } from './changes.ts';
import { page } from './pages.ts';
import type { Stack } from './stack.ts';
import type { Stacks } from './stacks.ts';
import type { Targets } from './targets.ts';
import { invalid } from './template.ts';

export class ChangeSets {
  readonly #stacks: Stacks;
  readonly #targets: Targets;
  readonly #byId = new Map<string, ChangeSet>();

  constructor(options: { stacks: Stacks; targets: Targets }) {
    this.#stacks = options.stacks;
    this.#targets = options.targets;
  }

  readonly operations: Operations = {
    CreateChangeSet: (input: CreateChangeSetCommandInput) => this.#create(input),

    DescribeChangeSet: (input: DescribeChangeSetCommandInput): Output<DescribeChangeSetCommandOutput> => {
      const changeSet = this.#get(input.ChangeSetName, input.StackName);
      const described = describeChangeSet(changeSet, { values: input.IncludePropertyValues === true });
      const { items: Changes, next } = page(described.Changes!, input.NextToken);
      return { ...described, Changes, ...next };
    },

    ExecuteChangeSet: (input: ExecuteChangeSetCommandInput): object => {
      const changeSet = this.#get(input.ChangeSetName, input.StackName);
      this.#execute(changeSet, input);
      return {};
    },

    DeleteChangeSet: (input: DeleteChangeSetCommandInput): object => {
      const found = this.#find(input.ChangeSetName, input.StackName);
      if (found !== undefined) this.#byId.delete(found.id);
      return {};
    },

    ListChangeSets: (input: ListChangeSetsCommandInput): Output<ListChangeSetsCommandOutput> => {
      const stack = this.#stacks.get(input.StackName);
      const { items, next } = page(this.#of(stack), input.NextToken);
      return { Summaries: items.map(summary), ...next };
    },
  };

  async #create(input: CreateChangeSetCommandInput): Promise<Output<CreateChangeSetCommandOutput>> {
    const type = input.ChangeSetType ?? 'UPDATE';
    if (type === 'IMPORT') throw invalid('Importing resources is not supported');
    const name = input.ChangeSetName!;
    if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name)) throw invalid(`Invalid change set name: ${name}`);
    const existing = this.#stacks.find(input.StackName!);
    if (existing === undefined && type !== 'CREATE')
      throw invalid(`Stack [${input.StackName}] does not exist`);
    if (existing !== undefined) this.#checkUsable(existing, type, name);
    const stack = existing ?? this.#stacks.draft(input.StackName!);
    const id = arn('cloudformation', `changeSet/${name}/${randomUUID()}`);
    const target = await this.#targets.read(input, stack);
    // A template that cannot be read makes neither stack nor change set.
    if (existing === undefined) {
      this.#stacks.add(stack);
      stack.enter('REVIEW_IN_PROGRESS', input.ClientToken, 'User Initiated');
    }
    const { changes, failure } = this.#plan(stack, target);
    this.#byId.set(id, {
      id,
      name,
      type,
      stack,
      created: new Date(this.#stacks.clock.now()),
      ...(input.Description === undefined ? {} : { description: input.Description }),
      target,
      changes,
      ...(input.OnStackFailure === undefined ? {} : { onStackFailure: input.OnStackFailure }),
      status: failure === undefined ? 'CREATE_COMPLETE' : 'FAILED',
      ...(failure === undefined ? {} : { statusReason: failure }),
      executionStatus: failure === undefined ? 'AVAILABLE' : 'UNAVAILABLE',
    });
    return { Id: id, StackId: stack.id };
  }

  #checkUsable(stack: Stack, type: 'CREATE' | 'UPDATE', name: string): void {
    if (type === 'UPDATE') refuseUpdate(stack);
    else if (stack.status !== 'REVIEW_IN_PROGRESS') {
      throw invalid(
        `Stack [${stack.name}] already exists and cannot be created again with the changeSet [${name}].`,
      );
    }
    if (this.#of(stack).some((other) => other.name === name)) {
      throw new AwsError('AlreadyExistsException', `ChangeSet ${name} already exists`);
    }
  }

  #plan(stack: Stack, target: ChangeSet['target']): { changes: PlannedChange[]; failure?: string } {
    try {
      const changes = this.#targets.plan(stack, target);
      return this.#targets.changes(stack, target, changes) ? { changes } : { changes, failure: noChanges };
    } catch (failure) {
      if (!(failure instanceof AwsError)) throw failure;
      return { changes: [], failure: failure.message };
    }
  }

  #execute(changeSet: ChangeSet, input: ExecuteChangeSetCommandInput): void {
    const { stack, target } = changeSet;
    if (changeSet.executionStatus !== 'AVAILABLE') {
      throw new AwsError(
        'InvalidChangeSetStatusException',
        `ChangeSet [${changeSet.id}] cannot be executed in its current execution status of [${changeSet.executionStatus}]`,
      );
    }
    refuseBusy(stack);
    // The others were made against what the stack is now: none of them holds any more.
    for (const other of this.#of(stack)) if (other !== changeSet) this.#byId.delete(other.id);
    changeSet.executionStatus = 'EXECUTE_IN_PROGRESS';
    stack.changeSetId = changeSet.id;
    const token = input.ClientRequestToken;
    const rollback = input.DisableRollback !== true && changeSet.onStackFailure !== 'DO_NOTHING';
    const onFailure = rollback ? (changeSet.onStackFailure ?? 'ROLLBACK') : 'DO_NOTHING';
    const running =
      changeSet.type === 'CREATE'
        ? this.#stacks.create(stack, target, { onFailure, token })
        : this.#stacks.update(stack, target, { rollback, token });
    void running.then(() => {
      const complete = stack.status === 'CREATE_COMPLETE' || stack.status === 'UPDATE_COMPLETE';
      changeSet.executionStatus = complete ? 'EXECUTE_COMPLETE' : 'EXECUTE_FAILED';
    });
  }

  /** An executed change set is found by its id only: its name is free again. */
  #of(stack: Stack): ChangeSet[] {
    return [...this.#byId.values()].filter(
      (changeSet) => changeSet.stack === stack && !changeSet.executionStatus.startsWith('EXECUTE'),
    );
  }

  #find(name: string | undefined, stackName: string | undefined): ChangeSet | undefined {
    const byId = this.#byId.get(name ?? '');
    if (byId !== undefined || name?.startsWith('arn:') === true) return byId;
    if (stackName === undefined)
      throw invalid('StackName must be specified if ChangeSetName is not specified as an ARN.');
    return this.#of(this.#stacks.get(stackName)).find((changeSet) => changeSet.name === name);
  }

  #get(name: string | undefined, stackName: string | undefined): ChangeSet {
    const found = this.#find(name, stackName);
    if (found === undefined)
      throw new AwsError('ChangeSetNotFoundException', `ChangeSet [${name}] does not exist`);
    return found;
  }
}

/** One operation at a time on a stack. */
export function refuseBusy(stack: Stack): void {
  if (stack.inProgress()) throw notNow(stack);
}

export function refuseUpdate(stack: Stack): void {
  if (!stack.updatable()) throw notNow(stack);
}

function notNow(stack: Stack): AwsError {
  return invalid(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}
