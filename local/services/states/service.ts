/** Step Functions: standard workflows in JSONata, and their API. */
import { randomUUID } from 'node:crypto';
import type { Emit } from '../../aws-event.ts';
import type { Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Authorizer } from '../../iam/authorizer.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import type { Invoker } from '../lambda/invoker.ts';
import { executionOperations } from './api/execution-operations.ts';
import { stateMachineOperations } from './api/state-machine-operations.ts';
import { taskOperations } from './api/task-operations.ts';
import { type Checked, checkDefinition } from './check/check.ts';
import { ExecutionStore } from './execution-store.ts';
import type { Executions, StartedExecution } from './executions.ts';
import { Expressions } from './expression.ts';
import { Integrations } from './integrations/integration.ts';
import type { Surroundings, Transition } from './run.ts';
import { StateMachines } from './state-machines.ts';
import { Tokens } from './tokens.ts';

export interface StatesOptions {
  readonly clock: Clock;
  readonly invoker: Invoker;
  /** For what machines do in their roles' names; who calls this API is authorized before its operations run. */
  readonly authorizer: Authorizer;
  readonly emit: Emit;
  /** Takes how executions end. */
  readonly metrics?: MetricSink;
  /** For retries with jitter, `$random` and `$shuffle`. */
  readonly random?: () => number;
  readonly uuid?: () => string;
  /** Milliseconds from leaving a state to entering the next; AWS publishes no number. */
  readonly transitionLatency?: number;
  /** Told each state entered and each retry, such as for a screen. */
  readonly onTransition?: (transition: Transition) => void;
  /** Checks definitions; a caller that makes many services of the same definitions may remember the answers. */
  readonly check?: (definition: string) => Checked;
}

const defaultTransitionLatency = 25;

export class States implements Executions {
  readonly operations: Operations;
  readonly #executions: ExecutionStore;

  constructor(options: StatesOptions) {
    const { clock, invoker, authorizer, emit, random = Math.random, uuid = randomUUID } = options;
    const now = () => clock.now();
    const check = options.check ?? checkDefinition;
    const machines = new StateMachines({ now, uuid, check });
    const tokens = new Tokens(uuid);
    const executions = new ExecutionStore({
      machines,
      emit,
      uuid,
      metrics: options.metrics,
      surroundings: () => surroundings,
    });
    const surroundings: Surroundings = {
      clock,
      expressions: new Expressions({ now, random, uuid }),
      integrations: new Integrations({ invoker, authorizer, executions, uuid }),
      tokens,
      random,
      transitionLatency: options.transitionLatency ?? defaultTransitionLatency,
      onTransition: options.onTransition ?? (() => {}),
    };
    this.#executions = executions;
    this.operations = {
      ...stateMachineOperations({ machines, executions, check }),
      ...executionOperations({ machines, executions, now }),
      ...taskOperations(tokens),
    };
  }

  start(stateMachineArn: string, options: { name?: string; input: string }): StartedExecution {
    return this.#executions.start(stateMachineArn, options);
  }

  /** State transitions of an execution so far, as AWS bills them: each state entered and each retry. */
  transitions(executionArn: string): number {
    return this.#executions.find(executionArn).transitions;
  }

  /** Ends all runs where they stand; nothing is recorded and nothing more is told. */
  close(): void {
    this.#executions.close();
  }
}
