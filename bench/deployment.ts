/** What a deployment costs: transitions, invocations and AWS calls, beside the least that its effects need, and in USD. */
import { type Strategy, stepsOf } from '../functions/core/deployment/strategy.ts';
import type { Example } from './example.ts';
import { against, atMost, type Measure, type Report, sum } from './measure.ts';
import { Meter, type Usage } from './meter.ts';
import { costOf } from './prices.ts';
import {
  invocationsIn,
  leastItemWrites,
  leastWrites,
  plainRetirement,
  plainStory,
  rechecks,
  toldBy,
} from './story.ts';

const tenMinutes = 600;

const strategies: readonly { readonly title: string; readonly strategy: Strategy }[] = [
  { title: 'all at once, one minute of bake', strategy: { kind: 'allAtOnce', bakeSeconds: 60 } },
  {
    title: 'three steps, ten minutes of bake at each',
    strategy: {
      kind: 'custom',
      steps: [10, 50, 100].map((weightPercent) => ({ weightPercent, bakeSeconds: tenMinutes })),
    },
  },
];

/** So soon that a deployment's own retirement is counted with it; how long it waits costs nothing. */
const retentionSeconds = 60;
/** After the last write its change goes through the table's stream to the announcer; on the clock. */
const announcedMs = 5_000;

/** Called by events and by the table's stream, as often as those come; all others are steps. */
const called = new Set(['Signal', 'Announce', 'Sweeper']);
const reads = /:(?:Describe|Get|List|Query)/;

type Say = (measure: Omit<Measure, 'section'>) => void;

export async function measureDeployment(report: Report, example: Example): Promise<void> {
  for (const { title, strategy } of strategies) {
    const section = `Deployment: ${title}`;
    await measureOne((measure) => report({ section, ...measure }), example, strategy);
  }
}

async function measureOne(say: Say, example: Example, strategy: Strategy): Promise<void> {
  await example.configure({ strategy, retentionSeconds });
  const meter = new Meter(example);
  const executions = await example.deploy();
  await example.clock.sleep(announcedMs);
  const usage = await meter.stop();

  const steps = stepsOf(strategy).length;
  const told = await Promise.all(executions.map((arn) => toldBy(example, arn)));
  const extra = {
    ...rechecks(told[0]!.entered, plainStory(steps)),
    ...rechecks(told[1]!.entered, plainRetirement),
  };
  const transitions = executions.map((arn) => example.aws.states.transitions(arn));
  sayTransitions(say, steps, transitions, extra, sum(told.map(({ entered }) => entered.length)));
  sayInvocations(say, steps, usage, extra);
  sayCalls(say, steps, usage, extra);
  sayCost(say, steps, usage, {
    transitions: sum(transitions),
    historyEvents: sum(told.map(({ events }) => events)),
  });
}

function sayTransitions(
  say: Say,
  steps: number,
  transitions: readonly number[],
  extra: Readonly<Record<string, number>>,
  entered: number,
): void {
  const again = sum(Object.values(extra));
  const retries = sum(transitions) - entered;
  const [deploying = 0, retiring = 0] = transitions;
  const ofRetirement = sum(
    Object.entries(extra).map(([state, count]) => (plainRetirement.includes(state) ? count : 0)),
  );
  const plain = deploying - (again - ofRetirement) - retries;
  const floor = plainStory(steps).length;
  say({
    name: 'state transitions of the deployment',
    value: plain,
    unit: '',
    against: against(plain, 'each state of its plain story once', floor),
    target: atMost(plain, 12 + 3 * (steps - 1)),
  });
  const plainRetiring = retiring - ofRetirement;
  say({
    name: 'state transitions of the retirement',
    value: plainRetiring,
    unit: '',
    against: against(plainRetiring, 'each state of its plain story', plainRetirement.length),
  });
  say({
    name: 're-checks, apart',
    value: again,
    unit: '',
    note: 'a wait ends now and then to look again',
    by: extra,
  });
  say({ name: 'retries, apart', value: retries, unit: '' });
}

function sayInvocations(
  say: Say,
  steps: number,
  { invocations }: Usage,
  extra: Readonly<Record<string, number>>,
): void {
  const ofSteps = sum(Object.entries(invocations).map(([name, count]) => (called.has(name) ? 0 : count)));
  const again = invocationsIn(
    Object.entries(extra).flatMap(([state, count]) => Array<string>(count).fill(state)),
  );
  const floor = invocationsIn(plainStory(steps)) + invocationsIn(plainRetirement);
  say({
    name: 'invocations by the machines, without re-checks',
    value: ofSteps - again,
    unit: '',
    against: against(ofSteps - again, 'one for each task of the plain story', floor),
  });
  say({
    name: 'invocations, all',
    value: sum(Object.values(invocations)),
    unit: '',
    note: 'Signal: one for each event of tasks and services; Announce: one for each batch of changes; Sweeper: one for each end of an execution, and by schedule',
    by: invocations,
  });
}

function sayCalls(say: Say, steps: number, { calls }: Usage, extra: Readonly<Record<string, number>>): void {
  const count = (action: string, by: (name: string) => boolean = () => true): number =>
    calls.filter((call) => call.action === action && by(call.by)).length;
  const least = leastWrites(steps);
  for (const [action, { count: floor, because }] of Object.entries(least)) {
    const value = count(action);
    say({
      name: action,
      value,
      unit: '',
      against: against(value, because, floor),
      target: { text: `= ${floor}`, met: value === floor },
    });
  }
  const putItem = 'dynamodb:PutItem';
  const again = (extra['Await healthy'] ?? 0) + (extra['Bake on'] ?? 0);
  const ofSteps = count(putItem, (name) => !called.has(name)) - again;
  say({
    name: `${putItem} by steps, without re-checks`,
    value: ofSteps,
    unit: '',
    against: against(
      ofSteps,
      'intent and outcome of each effect, token of each wait',
      leastItemWrites(steps),
    ),
  });
  const listed = new Set(Object.keys(least));
  for (const action of [...new Set(calls.map((call) => call.action))]
    .filter((each) => !listed.has(each))
    .toSorted(writesFirst)) {
    const by: Record<string, number> = {};
    for (const call of calls) if (call.action === action) by[call.by] = (by[call.by] ?? 0) + 1;
    say({ name: `${action}, all`, value: count(action), unit: '', by });
  }
}

function writesFirst(one: string, other: string): number {
  return Number(reads.test(one)) - Number(reads.test(other)) || one.localeCompare(other);
}

function sayCost(
  say: Say,
  steps: number,
  usage: Usage,
  machines: { readonly transitions: number; readonly historyEvents: number },
): void {
  const { invocations, calls } = usage;
  const cost = costOf({
    ...usage,
    ...machines,
    invocations: sum(Object.values(invocations)),
    calls: calls.length,
    functions: Object.keys(invocations).length,
    publications: calls.filter(({ action }) => action === 'sns:Publish').length,
    // A deployment and its retirement are one trace each; so is whatever calls the other functions.
    traces: 2 + sum([...called].map((name) => invocations[name] ?? 0)),
  });
  const total = sum(Object.values(cost));
  const floor = sum(
    Object.values(
      costOf({
        transitions: plainStory(steps).length + plainRetirement.length,
        invocations: invocationsIn(plainStory(steps)) + invocationsIn(plainRetirement),
        calls: 0,
        functions: 0,
        writeUnits: leastItemWrites(steps),
        readUnits: 0,
        publications: 0,
        logBytes: 0,
        historyEvents: 0,
        traces: 0,
      }),
    ),
  );
  say({
    name: "the controller's cost, everything counted",
    value: total,
    unit: 'USD',
    against: against(total, 'the plain story without re-checks, reads, logs and messages', floor),
    ...(steps === 3 && { target: atMost(total, 0.002, ' USD') }),
    by: cost,
  });
}
