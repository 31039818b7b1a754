/** A rehearsal: the real machines in the embedded Step Functions, their functions played from a script. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type * as z from 'zod';
import { awaitInput } from '../../functions/steps/await-signal.ts';
import { judgeInput } from '../../functions/steps/judge.ts';
import { launchInput } from '../../functions/steps/launch.ts';
import { planDeploymentInput } from '../../functions/steps/plan-deployment.ts';
import { promoteInput } from '../../functions/steps/promote.ts';
import { restoreInput } from '../../functions/steps/restore.ts';
import { retireInput } from '../../functions/steps/retire.ts';
import { shiftInput } from '../../functions/steps/shift.ts';
import { terminateInput } from '../../functions/steps/terminate.ts';
import { AwsError } from '../../local/call.ts';
import type { Definition } from '../../local/services/states/definition.ts';
import { EmbeddedStates, FunctionError, type Outcome } from '../states/embedded-states.ts';
import { deploy, retire } from './machines.ts';
import { timelineOf } from './timeline.ts';
import { type Visit, visitsOf } from './visits.ts';

/** Each part is one step; some share a function. */
const inputs = {
  plan: planDeploymentInput,
  launch: launchInput,
  awaitHealthy: awaitInput,
  shift: shiftInput,
  awaitBake: awaitInput,
  awaitHand: awaitInput,
  judge: judgeInput,
  promote: promoteInput,
  restore: restoreInput,
  terminate: terminateInput,
  retire: retireInput,
} as const satisfies Record<string, z.ZodType>;

export type Part = keyof typeof inputs;

interface Payload {
  readonly token?: string;
  readonly deadline?: number | null;
  readonly due?: number;
  readonly asking?: boolean;
  readonly for?: string;
  readonly direction?: string;
  readonly plan?: unknown;
}

export interface RehearsalOptions {
  readonly input?: unknown;
  readonly days?: number;
  readonly retireMachine?: boolean;
  /** What the function behind Plan reads: that of a push by default. */
  readonly planner?: z.ZodType;
}

/** What a function does with one invocation: returns its result, throws a `FunctionError`, or never answers. */
export type Answer = (payload: Payload, stage: Stage) => unknown;

/** The answers of each part in turn; the last one is given again and again. */
export type Script = Partial<Record<Part, readonly Answer[]>>;

interface Invocation {
  readonly part: Part;
  readonly at: number;
  readonly payload: Payload;
}

export interface Rehearsal {
  readonly outcome: Outcome;
  readonly visits: readonly Visit[];
  readonly timeline: string;
  readonly transitions: number;
  readonly events: number;
  readonly invocations: readonly Invocation[];
  /** Of one part, in seconds since the execution started. */
  readonly secondsOf: (part: Part) => readonly number[];
}

export const returns =
  (value: unknown): Answer =>
  () =>
    value;

export const throws =
  (name: string, message = `${name} was thrown`): Answer =>
  () => {
    throw new FunctionError(name, message);
  };

export const neverAnswers: Answer = () => new Promise(() => {});

/** Ends the wait with success, so many seconds later. */
export const wakesWell =
  (after = 0): Answer =>
  ({ token }, stage) =>
    stage.later(after, () => stage.answer('SendTaskSuccess', { taskToken: token, output: '{}' }));

/** Ends the wait with an error, so many seconds later. */
export const wakesWith =
  (error: string, cause: string, after = 0): Answer =>
  ({ token }, stage) =>
    stage.later(after, () => stage.answer('SendTaskFailure', { taskToken: token, error, cause }));

export const leavesWaiting: Answer = returns({ remark: 'nothing yet' });

/** Waits until the deadline has come and then does this. */
export const atDeadline =
  (then: Answer): Answer =>
  (payload, stage) =>
    stage.embedded.clock.now() >= (payload.deadline ?? Infinity)
      ? then(payload, stage)
      : leavesWaiting(payload, stage);

/** Takes this long over it. */
export const slowly =
  (seconds: number, answer: Answer): Answer =>
  async (payload, stage) => {
    await stage.embedded.clock.sleep(seconds * 1000);
    return answer(payload, stage);
  };

const notYet = throws('Cutover.NotYet', 'nothing speaks against web-g0002, the bake goes on');

/** As the steps do when nothing is wrong. */
const smooth: Required<Script> = {
  plan: [throws('Cutover.InvalidInput', 'the script names no plan')],
  launch: [returns({ desired: 2 })],
  awaitHealthy: [wakesWell(30)],
  shift: [returns({ weights: {} })],
  awaitBake: [atDeadline(wakesWell())],
  awaitHand: [atDeadline(wakesWith('Cutover.Aborted', 'nobody answered'))],
  judge: [
    (payload, stage) =>
      stage.embedded.clock.now() >= (payload.deadline ?? 0) ? { verdict: 'pass' } : notYet(payload, stage),
  ],
  promote: [returns({ live: 'web-g0002', retained: ['web-g0001'] })],
  restore: [(payload) => ({ reason: reasonGiven(payload), quietSeconds: 120 })],
  terminate: [returns({ terminated: 'web-g0002' })],
  retire: [returns({ retired: [], next: null })],
};

function reasonGiven(payload: Payload): string {
  const { failure } = restoreInput.parse(payload);
  return `because of ${failure.Error}`;
}

class Stage {
  readonly embedded = new EmbeddedStates({ random: () => 0.5 });
  readonly invocations: Invocation[] = [];
  readonly #script: Required<Script>;
  readonly #inputs: Readonly<Record<Part, z.ZodType>>;

  constructor(script: Script, options: RehearsalOptions) {
    this.#script = { ...smooth, ...script };
    this.#inputs = { ...inputs, plan: options.planner ?? inputs.plan };
    this.embedded.create(deploy, 'deploy');
    if (options.retireMachine !== false) this.addRetireMachine();
    for (const name of ['Plan', 'Launch', 'Await', 'Shift', 'Judge', 'Promote', 'Terminate']) {
      this.embedded.handlers.set(name, (payload: Payload) => this.#play(partOf(name, payload), payload));
    }
  }

  addRetireMachine(): void {
    this.embedded.create(retire, 'retire');
  }

  later(seconds: number, act: () => void): void {
    if (seconds === 0) act();
    else this.embedded.clock.after(seconds * 1000, act);
  }

  /** As the adapter does: a wait that has ended meanwhile needs no answer. */
  answer(operation: 'SendTaskSuccess' | 'SendTaskFailure', input: object): void {
    try {
      this.embedded.call(operation, input);
    } catch (refused) {
      if (!(refused instanceof AwsError && refused.code === 'TaskTimedOut')) throw refused;
    }
  }

  #play(part: Part, payload: Payload): unknown {
    const read = this.#inputs[part].parse(payload);
    // A member that the step does not read would be dropped in silence: the two must agree.
    const [sent, taken] = [payload, read].map((value) => JSON.stringify(sorted(value)));
    if (sent !== taken) throw new Error(`${part} is sent ${sent} and reads ${taken}`);
    const turn = this.invocations.filter((earlier) => earlier.part === part).length;
    this.invocations.push({ part, at: this.embedded.clock.now(), payload });
    const answers = this.#script[part];
    const answer = answers[Math.min(turn, answers.length - 1)];
    if (answer === undefined) throw new Error(`the script of ${part} is empty`);
    return answer(payload, this);
  }

  history(executionArn: string): readonly HistoryEvent[] {
    const events: HistoryEvent[] = [];
    let nextToken: unknown;
    do {
      const request = { executionArn, maxResults: 1000, ...(nextToken === undefined ? {} : { nextToken }) };
      const page = this.embedded.call('GetExecutionHistory', request);
      events.push(...(page['events'] as HistoryEvent[]));
      nextToken = page['nextToken'];
    } while (nextToken !== undefined);
    return events;
  }
}

/** Which step an invocation is for, as the entries decide it. */
function partOf(name: string, payload: Payload): Part {
  switch (name) {
    case 'Await':
      return payload.for === 'bake' ? 'awaitBake' : payload.for === 'hand' ? 'awaitHand' : 'awaitHealthy';
    case 'Shift':
      return payload.direction === 'back' ? 'restore' : 'shift';
    case 'Terminate':
      return 'plan' in payload ? 'terminate' : 'retire';
    default:
      return name.toLowerCase() as Part;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([one], [other]) => (one < other ? -1 : 1));
  return Object.fromEntries(members.map(([key, member]) => [key, sorted(member)]));
}

const dayMs = 86_400_000;

/** Runs one machine to its end. Fails when it has not ended after `days`. */
export async function rehearse(
  machine: 'deploy' | 'retire',
  script: Script,
  options: RehearsalOptions = {},
): Promise<Rehearsal> {
  const stage = new Stage(script, options);
  const { embedded, invocations } = stage;
  const begun = embedded.clock.now();
  const input =
    options.input ??
    (machine === 'deploy' ? { service: 'web', event: { id: 'event-2' } } : { service: 'web' });
  const arn = embedded.states.start(`arn:aws:states:us-east-1:123456789012:stateMachine:${machine}`, {
    name: 'run',
    input: JSON.stringify(input),
  }).executionArn;
  await embedded.clock.advance((options.days ?? 2) * dayMs);
  const outcome = embedded.outcome(arn);
  const events = stage.history(arn);
  const transitions = embedded.states.transitions(arn);
  embedded.states.close();
  if (outcome.status === 'RUNNING') throw new Error(`still running after ${events.length} events`);
  const definition: Definition = machine === 'deploy' ? deploy : retire;
  const visits = visitsOf(events);
  return {
    outcome,
    visits,
    timeline: timelineOf(visits, definition, outcome, begun),
    transitions,
    events: events.length,
    invocations,
    secondsOf: (part) => invocations.filter((one) => one.part === part).map(({ at }) => (at - begun) / 1000),
  };
}
