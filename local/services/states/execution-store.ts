/** All executions: starting, stopping, redriving and ending them. */
import { arn } from '../../account.ts';
import type { Emit } from '../../aws-event.ts';
import { AwsError } from '../../call.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import { requireArn, requireInput, requireName } from './api/constraints.ts';
import { type Ending, Execution } from './execution.ts';
import type { Executions, StartedExecution } from './executions.ts';
import { StateFailure } from './failure.ts';
import { Run, type Surroundings } from './run.ts';
import type { StateMachines } from './state-machines.ts';
import { statusEvent } from './status-event.ts';
import { runWorkflow } from './workflow.ts';

/** How long a closed execution is remembered, and its name taken. */
// https://docs.aws.amazon.com/step-functions/latest/dg/service-quotas.html#service-limits-state-machine-executions
const retention = 90 * 86_400_000;

/** https://docs.aws.amazon.com/step-functions/latest/dg/procedure-cw-metrics.html */
const endMetrics: Readonly<Record<Ending['status'], string>> = {
  SUCCEEDED: 'ExecutionsSucceeded',
  FAILED: 'ExecutionsFailed',
  TIMED_OUT: 'ExecutionsTimedOut',
  ABORTED: 'ExecutionsAborted',
};

export interface ExecutionStoreOptions {
  readonly machines: StateMachines;
  readonly emit: Emit;
  readonly uuid: () => string;
  readonly metrics?: MetricSink | undefined;
  /** Of the runs, asked for at each start: integrations start executions in turn. */
  readonly surroundings: () => Surroundings;
}

export class ExecutionStore implements Executions {
  readonly #options: ExecutionStoreOptions;
  readonly #executions = new Map<string, Execution>();
  readonly #running = new Map<string, Run>();
  readonly #redriveTokens = new Map<string, number>();
  #started = 0;

  constructor(options: ExecutionStoreOptions) {
    this.#options = options;
  }

  start(
    stateMachineArn: string,
    { name = this.#options.uuid(), input }: { name?: string; input: string },
  ): StartedExecution {
    requireName(name);
    const { revision } = this.#options.machines.startable(stateMachineArn);
    requireInput(input);
    const executionArn = arn('states', `execution:${revision.name}:${name}`);
    const now = this.#now;
    const known = this.#executions.get(executionArn);
    if (known !== undefined && !this.#forgotten(known)) {
      if (known.status === 'RUNNING' && known.input === input) return started(known);
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const session = this.#options.uuid().replaceAll('-', '');
    const order = this.#started++;
    const execution = new Execution({
      arn: executionArn,
      name,
      input,
      startDate: now,
      revision,
      order,
      session,
    });
    this.#executions.set(executionArn, execution);
    execution.history.root('ExecutionStarted', now, {
      executionStartedEventDetails: { input, inputDetails: { truncated: false }, roleArn: revision.roleArn },
    });
    this.#run(execution);
    return started(execution);
  }

  find(executionArn: string): Execution {
    requireArn(executionArn, 'execution');
    const execution = this.#executions.get(executionArn);
    if (execution !== undefined && !this.#forgotten(execution)) return execution;
    throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
  }

  /** Newest first. */
  of(stateMachineArn: string): Execution[] {
    return [...this.#executions.values()]
      .filter((one) => one.revision.stateMachineArn === stateMachineArn && !this.#forgotten(one))
      .sort((one, other) => other.order - one.order);
  }

  /** No catcher runs; what was called goes on and its answer is dropped. Stopping what has ended changes nothing. */
  stop(executionArn: string, error: string | undefined, cause: string | undefined): Execution {
    const execution = this.find(executionArn);
    this.#running.get(executionArn)?.end({ status: 'ABORTED', error, cause });
    return execution;
  }

  /** Goes on from the state that failed; the same client token again gives the first answer. */
  redrive(executionArn: string, clientToken: string | undefined): number {
    const execution = this.find(executionArn);
    const token = clientToken === undefined ? undefined : `${executionArn} ${clientToken}`;
    const answered = token === undefined ? undefined : this.#redriveTokens.get(token);
    if (answered !== undefined) return answered;
    const now = this.#now;
    const reason = execution.notRedrivable(now);
    if (reason !== undefined) throw new AwsError('ExecutionNotRedrivable', reason);
    this.#options.machines.startable(execution.revision.stateMachineArn);
    execution.reopen(now);
    execution.history.last('ExecutionRedriven', now, {
      executionRedrivenEventDetails: { redriveCount: execution.redriveCount },
    });
    if (token !== undefined) this.#redriveTokens.set(token, now);
    this.#run(execution);
    return now;
  }

  /** Deletes a machine: at once, or when its last execution has ended. */
  deleteMachine(stateMachineArn: string): void {
    const { machines } = this.#options;
    if (!machines.has(stateMachineArn)) return;
    const machine = machines.find(stateMachineArn);
    machine.deleting = true;
    const executions = this.of(stateMachineArn);
    if (executions.some(({ status }) => status === 'RUNNING')) return;
    for (const { arn: executionArn } of executions) this.#executions.delete(executionArn);
    machines.remove(stateMachineArn);
  }

  /** Nothing runs on and nothing more is told. */
  close(): void {
    for (const run of this.#running.values()) run.interrupt();
    this.#running.clear();
  }

  get #now(): number {
    return this.#options.surroundings().clock.now();
  }

  #forgotten({ stopDate }: Execution): boolean {
    return stopDate !== undefined && this.#now - stopDate > retention;
  }

  #run(execution: Execution): void {
    const run = new Run(execution, this.#options.surroundings(), (ending) => this.#ended(execution, ending));
    this.#running.set(execution.arn, run);
    this.#options.emit(statusEvent(execution, this.#now));
    run.begin(() => ending(run)).catch((failure: unknown) => run.report(failure));
  }

  #ended(execution: Execution, end: Ending): void {
    const now = this.#now;
    this.#running.delete(execution.arn);
    recordEnd(execution, end, now);
    execution.end(end, now);
    this.#options.emit(statusEvent(execution, now));
    const { stateMachineArn } = execution.revision;
    const { machines, metrics } = this.#options;
    metrics?.record({
      namespace: 'AWS/States',
      metric: endMetrics[end.status],
      dimensions: { StateMachineArn: stateMachineArn },
      unit: 'Count',
      at: now,
      values: [1],
    });
    if (machines.has(stateMachineArn) && machines.find(stateMachineArn).deleting)
      this.deleteMachine(stateMachineArn);
  }
}

/** Runs to the end of the definition, or to the failure that nothing caught. */
async function ending(run: Run): Promise<Ending> {
  const { definition } = run.execution.revision;
  try {
    const output = await runWorkflow(run, {
      workflow: definition,
      position: run.execution.position,
      outer: {},
    });
    return { status: 'SUCCEEDED', output: JSON.stringify(output) };
  } catch (failure) {
    if (failure instanceof StateFailure)
      return { status: 'FAILED', error: failure.error, cause: failure.failureCause };
    // A fault of our own must not leave the execution running for ever; it is reported besides.
    run.end({ status: 'FAILED', error: 'States.Runtime', cause: `Internal failure: ${String(failure)}` });
    throw failure;
  }
}

function recordEnd({ history }: Execution, { status, output, error, cause }: Ending, now: number): void {
  const details = { error, cause };
  if (status === 'SUCCEEDED') {
    history.last('ExecutionSucceeded', now, {
      executionSucceededEventDetails: { output, outputDetails: { truncated: false } },
    });
  } else if (status === 'FAILED') {
    history.last('ExecutionFailed', now, { executionFailedEventDetails: details });
  } else if (status === 'TIMED_OUT') {
    // Only this event names the error: DescribeExecution gives a timed-out execution none.
    history.root('ExecutionTimedOut', now, { executionTimedOutEventDetails: { error: 'States.Timeout' } });
  } else {
    history.root('ExecutionAborted', now, { executionAbortedEventDetails: details });
  }
}

function started({ arn: executionArn, startDate }: Execution): StartedExecution {
  return { executionArn, startDate: new Date(startDate) };
}
