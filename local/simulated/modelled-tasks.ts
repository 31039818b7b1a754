/** Tasks without processes: each listens, answers, crashes and stops as its image's behaviour says, on the clock. */
import type { Clock } from '../clock.ts';
import type { Address, RunningTask, TaskRunner, TaskSpec } from '../tasks/task.ts';
import type { Behaviour, BehaviourOf } from './behaviour.ts';
import { type Condition, ModelledTask } from './modelled-task.ts';

/** Which tasks: by image, by environment, or one by its id. */
export type Which = (task: TaskSpec) => boolean;

interface Alteration {
  readonly which: Which;
  readonly change: Partial<Behaviour>;
}

export class ModelledTasks implements TaskRunner {
  readonly isolation = 'modelled: there are no processes';
  readonly #clock: Clock;
  readonly #behaviourOf: BehaviourOf;
  readonly #running = new Map<string, ModelledTask>();
  readonly #alterations: Alteration[] = [];
  readonly #onChange: (() => void)[] = [];

  constructor(options: { clock: Clock; behaviourOf: BehaviourOf }) {
    this.#clock = options.clock;
    this.#behaviourOf = options.behaviourOf;
  }

  async start(spec: TaskSpec): Promise<RunningTask> {
    const changes = this.#alterations.filter(({ which }) => which(spec)).map(({ change }) => change);
    const behaviour: Behaviour = Object.assign({ ...this.#behaviourOf(spec.image.digest) }, ...changes);
    const task = new ModelledTask({
      clock: this.#clock,
      spec,
      behaviour,
      onChange: (changed) => {
        if (changed.hasExited) this.#running.delete(spec.id);
        for (const run of this.#onChange) run();
      },
    });
    this.#running.set(spec.id, task);
    return {
      address: { socketPath: spec.id },
      exited: task.exited,
      stop: (stopTimeoutMs) => task.stop(stopTimeoutMs),
    };
  }

  /**
   * Changes the behaviour of the tasks that run and of those that start from now on, such as the replacements that ECS
   * starts. A later change of the same member wins. A time that is over by then takes effect at once.
   */
  alter(which: Which, change: Partial<Behaviour>): void {
    this.#alterations.push({ which, change });
    for (const task of this.#running.values()) {
      if (which(task.spec)) task.alter(change);
    }
  }

  /** The processes stay and answer 503. */
  becomeUnhealthy(which: Which): void {
    this.alter(which, { healthyAfterMs: 'never' });
  }

  conditionAt(address: Address): Condition {
    const task = 'socketPath' in address ? this.#running.get(address.socketPath) : undefined;
    return task?.condition() ?? { kind: 'refusing' };
  }

  /** Calls `run` right after the condition of some task has changed. */
  onChange(run: () => void): void {
    this.#onChange.push(run);
  }

  async close(): Promise<void> {
    for (const task of this.#running.values()) task.close();
    this.#running.clear();
  }
}
