import { beforeEach, describe, expect, test } from 'vitest';
import { type Behaviour, wellBehaved } from '../../local/simulated/behaviour.ts';
import { ModelledTasks } from '../../local/simulated/modelled-tasks.ts';
import type { RunningTask, TaskSpec } from '../../local/tasks/task.ts';
import { ManualClock } from '../manual-clock.ts';

const blue = `sha256:${'b'.repeat(64)}`;
const green = `sha256:${'c'.repeat(64)}`;

let clock: ManualClock;
let behaviours: Map<string, Behaviour>;
let tasks: ModelledTasks;

beforeEach(() => {
  clock = new ManualClock(0);
  behaviours = new Map();
  tasks = new ModelledTasks({ clock, behaviourOf: (digest) => behaviours.get(digest) ?? wellBehaved });
});

function start(id: string, digest = blue): Promise<RunningTask> {
  const image = { repository: 'web', digest, config: {}, layers: [] };
  const spec: TaskSpec = { id, image, environment: {}, containerPort: 8080, onLog: () => undefined };
  return tasks.start(spec);
}

/** What one meets at the task, in a word. */
function met({ address }: RunningTask): string {
  const condition = tasks.conditionAt(address);
  if (condition.kind === 'refusing') return 'refuses';
  return condition.ready ? 'ready' : 'warming';
}

async function exitOf(task: RunningTask): Promise<string> {
  return Promise.race([
    task.exited.then(({ exitCode }) => `exit ${exitCode}`),
    new Promise<string>((resolve) => setImmediate(() => resolve('runs'))),
  ]);
}

test.each<[string, Partial<Behaviour>, (readonly [number, string])[]]>([
  [
    'boots, warms up and is ready',
    { bootMs: 2_000, healthyAfterMs: 3_000 },
    [
      [0, 'refuses, runs'],
      [1_999, 'refuses, runs'],
      [2_000, 'warming, runs'],
      [4_999, 'warming, runs'],
      [5_000, 'ready, runs'],
      [3_600_000, 'ready, runs'],
    ],
  ],
  [
    'is never ready',
    { bootMs: 0, healthyAfterMs: 'never' },
    [
      [0, 'warming, runs'],
      [3_600_000, 'warming, runs'],
    ],
  ],
  [
    'crashes before it listens',
    { bootMs: 2_000, crashAfterMs: 1_000, exitCode: 7 },
    [
      [999, 'refuses, runs'],
      [1_000, 'refuses, exit 7'],
      [2_000, 'refuses, exit 7'],
    ],
  ],
  [
    'crashes after it was ready',
    { bootMs: 0, crashAfterMs: 60_000 },
    [
      [59_999, 'ready, runs'],
      [60_000, 'refuses, exit 1'],
    ],
  ],
])('a task %s', async (_, changes, expected) => {
  behaviours.set(blue, { ...wellBehaved, ...changes });
  const task = await start('one');
  const found: [number, string][] = [];
  for (const [at] of expected) {
    await clock.advance(at - clock.now());
    found.push([at, `${met(task)}, ${await exitOf(task)}`]);
  }
  expect(found).toEqual(expected);
});

describe('a task that is stopped', () => {
  test.each<[number, number, number, string]>([
    [1_000, 30_000, 1_000, 'exit 0'],
    [60_000, 30_000, 30_000, 'exit 137'],
  ])('taking %i ms of its %i answers until it ends after %i: %s', async (stopMs, timeout, ends, expected) => {
    behaviours.set(blue, { ...wellBehaved, bootMs: 0, stopMs });
    const task = await start('one');
    await clock.advance(10_000);
    void task.stop(timeout);
    await clock.advance(ends - 1);
    expect(`${met(task)}, ${await exitOf(task)}`).toBe('ready, runs');
    await clock.advance(1);
    expect(`${met(task)}, ${await exitOf(task)}`).toBe(`refuses, ${expected}`);
  });
});

describe('a behaviour that is altered', () => {
  test('reaches the running tasks that are meant, the later ones, and no others', async () => {
    behaviours.set(blue, { ...wellBehaved, bootMs: 0 });
    behaviours.set(green, { ...wellBehaved, bootMs: 0 });
    const [one, other] = [await start('one', blue), await start('other', green)];
    tasks.becomeUnhealthy(({ image }) => image.digest === green);
    const replacement = await start('replacement', green);
    expect([one, other, replacement].map(met)).toEqual(['ready', 'warming', 'warming']);
    tasks.alter(({ id }) => id === 'other', { healthyAfterMs: 0 });
    expect([one, other, replacement].map(met)).toEqual(['ready', 'ready', 'warming']);
  });

  test('ends at once what is over by then', async () => {
    behaviours.set(blue, { ...wellBehaved, bootMs: 0 });
    const task = await start('one');
    await clock.advance(60_000);
    tasks.alter(() => true, { crashAfterMs: 10_000, exitCode: 139 });
    expect(`${met(task)}, ${await exitOf(task)}`).toBe('refuses, exit 139');
  });
});

test('each change of a condition is told when it has happened', async () => {
  behaviours.set(blue, { ...wellBehaved, bootMs: 2_000, healthyAfterMs: 1_000, crashAfterMs: 9_000 });
  const task = await start('one');
  const told: string[] = [];
  tasks.onChange(() => told.push(`${clock.now()} ${met(task)}`));
  await clock.advance(5_000);
  tasks.becomeUnhealthy(() => true);
  await clock.advance(10_000);
  expect(told).toEqual(['2000 warming', '3000 ready', '5000 warming', '9000 refuses']);
});

test('nothing happens after the runner is closed', async () => {
  const task = await start('one');
  await tasks.close();
  await clock.advance(60_000);
  expect(`${met(task)}, ${await exitOf(task)}`).toBe('refuses, runs');
});
