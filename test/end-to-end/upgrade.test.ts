/**
 * The deployer is upgraded while an execution stands in each of its states: the execution ends as it would have, with the
 * code and the definition it was started with; the next one has the new ones. Under traffic, with no request lost.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeStateMachineCommand,
  GetExecutionHistoryCommand,
  type HistoryEvent,
  paginateGetExecutionHistory,
} from '@aws-sdk/client-sfn';
import { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { afterAll, beforeAll, expect, inject, it } from 'vitest';
import type { Result } from '../../local/demo/scenario.ts';
import type { Traffic } from '../../local/demo/traffic.ts';
import { type Breakpoint, breakpoint } from '../../local/wire/breakpoint.ts';
import { exampleApp } from '../infra/apps.ts';
import { until, World } from './world.ts';

const speed = 60;
let world: World;
let folder: string;
let traffic: Traffic;
/** The versions that the deployer was made with. */
let first: readonly string[];
/** Two releases of the deployer; each update leads from one to the other. */
let releases: readonly [string, string];
let release = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cutover-upgrade-'));
  world = await World.create({ speed });
  releases = [inject('assembly'), nextRelease(join(folder, 'next'))];
  const steps = [
    // Longer than an upgrade takes at the wall's speed.
    { weightPercent: 10, bakeSeconds: 60 },
    { weightPercent: 100, bakeSeconds: 10 },
  ];
  // Replaced generations go soon: `terminate` has nothing else to do then.
  await world.changeSettings({ strategy: { kind: 'custom', steps }, retentionSeconds: 0 });
  first = versionsIn(await definition());
  await world.goLive('v1');
  traffic = world.traffic();
});

afterAll(async () => {
  const { total, lost, losses } = await traffic.stop();
  await world.close();
  await rm(folder, { recursive: true, force: true });
  if (lost > 0 || total < 100)
    throw new Error(`${lost} of ${total} requests were lost: ${losses.join('; ')}`);
});

/** Every function has one variable more, and so a new version; the machines have one state more. */
function nextRelease(outdir: string): string {
  const app = exampleApp({ outdir, bundled: true });
  for (const construct of app.node.findAll()) {
    if (construct instanceof LambdaFunction) construct.addEnvironment('RELEASE', 'next');
    if (construct instanceof CfnStateMachine && construct.definitionString !== undefined) {
      const { StartAt, States, ...rest } = JSON.parse(construct.definitionString) as Record<string, object>;
      const Greeting = { Type: 'Pass', Next: StartAt };
      construct.definitionString = JSON.stringify({
        ...rest,
        StartAt: 'Greeting',
        States: { Greeting, ...States },
      });
    }
  }
  return app.synth().directory;
}

async function upgrade(): Promise<void> {
  release = 1 - release;
  await world.aws.provision(releases[release]!);
}

/** ARNs of function versions in a definition, or in the parameters of tasks. */
function versionsIn(text: string): readonly string[] {
  return [...new Set(text.match(/arn:aws:lambda:[^"]+:function:[^":]+:\d+/g))].toSorted();
}

async function definition(): Promise<string> {
  const stateMachineArn = world.output('DeployMachineArn');
  return (await world.sfn.send(new DescribeStateMachineCommand({ stateMachineArn }))).definition ?? '';
}

/** The functions that an execution called, by version, and whether it passed the state that only one release has. */
async function courseOf(
  tag: string,
): Promise<{ readonly called: readonly string[]; readonly greeted: boolean }> {
  const { executionArn = '' } = await world.executionOf(tag);
  await world.ended(executionArn);
  const events: HistoryEvent[] = [];
  for await (const page of paginateGetExecutionHistory({ client: world.sfn }, { executionArn }))
    events.push(...(page.events ?? []));
  const parameters = events.map(({ taskScheduledEventDetails }) => taskScheduledEventDetails?.parameters);
  return {
    called: versionsIn(parameters.join('\n')),
    greeted: events.some(({ stateEnteredEventDetails }) => stateEnteredEventDetails?.name === 'Greeting'),
  };
}

async function stateOf(tag: string): Promise<string | undefined> {
  const { executionArn } = await world.executionOf(tag);
  const { events } = await world.sfn.send(
    new GetExecutionHistoryCommand({ executionArn, reverseOrder: true, maxResults: 50 }),
  );
  return events?.find(({ type }) => type?.endsWith('StateEntered'))?.stateEnteredEventDetails?.name;
}

interface Standing {
  readonly state: string;
  /** The function that works in the state: its first call is held. */
  readonly of?: string;
  /** For a state that waits: the last effect before it, from where on the clock runs at the wall's speed. */
  readonly after?: string;
}

const forward: readonly Standing[] = [
  { state: 'Plan', of: 'PlanDeployment' },
  { state: 'Launch', of: 'Launch' },
  { state: 'Await healthy', after: 'CreateService' },
  { state: 'Shift', of: 'Shift' },
  { state: 'Await bake', after: 'ModifyRule' },
  { state: 'Judge', of: 'Judge' },
  { state: 'Promote', of: 'Promote' },
];
const back: readonly Standing[] = [
  { state: 'Restore', of: 'Shift' },
  { state: 'Settle', after: 'ModifyRule' },
  { state: 'Terminate', of: 'Terminate' },
];

/** Upgrades in one state after the other, from what `begin` sets going, before the `outcome` is there. */
async function upgradeIn(
  standings: readonly Standing[],
  tag: string,
  outcome: Promise<Result>,
  begin: () => Promise<unknown>,
): Promise<void> {
  const reaching = ({ of, after }: Standing): Breakpoint =>
    of === undefined
      ? breakpoint(world.aws.calls, 'after', ({ operation }) => operation === after)
      : breakpoint(world.aws.calls, 'before', world.callsOf(of));
  let goOn: () => unknown = begin;
  for (const standing of standings) {
    const here = reaching(standing);
    world.clock.speed = speed;
    await goOn();
    const early = await Promise.race([here.reached.then(() => undefined), outcome]);
    if (early !== undefined)
      throw new Error(`${early.outcome} before it stood in ${standing.state}: ${early.reason}`);
    if (standing.after !== undefined) {
      world.clock.speed = 1;
      here.release();
    }
    await until(`the execution to stand in ${standing.state}`, async () =>
      (await stateOf(tag)) === standing.state ? true : undefined,
    );
    await upgrade();
    expect(await stateOf(tag)).toBe(standing.state);
    goOn = () => here.release();
  }
  world.clock.speed = speed;
  await goOn();
}

it('of an execution that goes live: it ends with what it was started with', {
  timeout: 120_000,
}, async () => {
  const started = versionsIn(await definition());
  const outcome = world.watch.outcomeOf('web:v2');
  await upgradeIn(forward, 'v2', outcome, () => world.push('v2'));
  expect(await outcome).toMatchObject({ outcome: 'live' });
  const { called, greeted } = await courseOf('v2');
  // Plan, Launch, Await, Shift, Judge, Promote
  expect(called).toHaveLength(6);
  expect(started).toEqual(expect.arrayContaining([...called]));
  expect(greeted).toBe(false);
});

it('of the next execution, which has the new ones and goes back: it ends with those', {
  timeout: 120_000,
}, async () => {
  const started = versionsIn(await definition());
  const before = await world.weights();
  const outcome = world.watch.outcomeOf('web:v3');
  await world.itemWhere(
    'the last retirement',
    ({ owner, retained }) => owner === null && retained.length === 0,
  );
  await world.push('v3');
  await world.baking('v3');
  await upgradeIn(back, 'v3', outcome, () =>
    world.signal({ service: 'web', signal: 'abort', by: 'ann', reason: 'a drill' }),
  );
  expect(await outcome).toMatchObject({ outcome: 'restored', reason: 'ann ended the deployment: a drill' });
  expect(await world.weights()).toEqual(before);
  const { called, greeted } = await courseOf('v3');
  // Plan, Launch, Await, Shift, Terminate
  expect(called).toHaveLength(5);
  expect(started).toEqual(expect.arrayContaining([...called]));
  expect(called.filter((version) => first.includes(version))).toEqual([]);
  expect(greeted).toBe(true);
});

it('and the one after that goes live with the newest', async () => {
  const newest = versionsIn(await definition());
  await world.goLive('v4');
  const { called, greeted } = await courseOf('v4');
  expect(called).toHaveLength(6);
  expect(newest).toEqual(expect.arrayContaining([...called]));
  expect(greeted).toBe(false);
});
