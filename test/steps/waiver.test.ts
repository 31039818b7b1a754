/** What stands against a launch is told at once; a person may answer for red alarms and freezes, and for nothing else. */
import { beforeEach, describe, expect, it } from 'vitest';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { signal } from '../../functions/steps/signal.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import {
  ecrEvent,
  execution,
  generationOf,
  liveItem,
  pendingOf,
  pushOf,
  settingsOf,
  start,
  web,
} from '../core/examples.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.time = start + 200_000;
});

const offer = (number = 2) =>
  planDeployment(
    {
      service: web,
      event: ecrEvent(pushOf(number)),
      execution: { arn: execution(`event-${number}`), redrives: 0 },
    },
    world.ports,
  );
const red = { name: 'web-errors', state: 'ALARM', reason: '5 > 1' } as const;
const waive = (service = 'web') =>
  signal({ service, signal: 'waive', by: 'ann', reason: 'it mends the errors' }, world.ports);
const toldSince = (before: typeof world.item) =>
  chaptersOf(before, world.item).map(({ kind, reason }) => ({ kind, reason }));

describe('a push', () => {
  it('against which much stands hears all of it at once', async () => {
    world.alarmStates = [red];
    world.fleetSurvey = {
      task: { platform: { os: 'linux', architecture: 'arm64' }, size: 1 },
      places: { value: [{ name: 'subnet-a', zone: 'a', free: 1 }] },
    };
    const { admission, reason } = await offer();
    expect(admission).toBe('rejected');
    for (const words of ['before anything was launched: ', 'web-errors is red', 'linux/arm64', '1 free'])
      expect(reason).toContain(words);
    // Not for these.
    expect(reason).not.toContain('"signal":"waive"');
  });

  it('is deployed in spite of what only may fail, which is told', async () => {
    world.fleets.get('web-g0001')!.health = 'unhealthy';
    const before = world.item;
    expect(await offer()).toMatchObject({ admission: 'admitted' });
    expect(toldSince(before)).toContainEqual({
      kind: 'warned',
      reason: expect.stringContaining('web-g0001, which is live, has 0 of 4 targets healthy') as string,
    });
  });

  it('is refused while the rule is not ours, whatever else is', async () => {
    world.fail('traffic.weights', 'before', 'Cutover.RuleNotOurs');
    expect(await offer()).toMatchObject({ admission: 'rejected' });
  });
});

describe('a person who answers for red alarms', () => {
  it('is told how by the refusal, is told of, and has the next push deployed', async () => {
    world.alarmStates = [red];
    expect((await offer()).reason).toContain('{"service":"web","signal":"waive","by":"…","reason":"…"}');
    const before = world.item;
    expect((await waive()).remarks).toEqual([
      `web: red alarms and freezes do not keep the next push until ${new Date(world.time + 3_600_000).toISOString()}`,
    ]);
    expect(toldSince(before)).toMatchObject([
      { kind: 'waived', reason: expect.stringContaining('ann: it mends the errors. ') as string },
    ]);
    const item = world.item;
    expect(await offer(3)).toMatchObject({ admission: 'admitted' });
    expect(toldSince(item)).toContainEqual({
      kind: 'warned',
      reason: 'the alarm web-errors is red: 5 > 1, which ann waived',
    });
    expect(world.item).toMatchObject({ waiver: null, deployment: { waiver: { by: 'ann' } } });
  });

  it('does so for an hour, and for one push', async () => {
    world.alarmStates = [red];
    await waive();
    world.time += 3_600_000;
    expect(await offer()).toMatchObject({ admission: 'rejected' });
    await waive();
    expect(await offer(3)).toMatchObject({ admission: 'admitted' });
    expect(world.item.waiver).toBeNull();
  });

  it('does not for an alarm that does not exist', async () => {
    world.alarmStates = [];
    await waive();
    expect(await offer()).toMatchObject({ admission: 'rejected' });
  });

  it('of a service that nobody ever deployed changes nothing', async () => {
    expect((await waive('other')).remarks).toEqual([
      'other: nothing was ever pushed to a service of that name',
    ]);
  });
});

describe('an alarm that is red at the start', () => {
  it('may be ignored until it was green, by the service itself', async () => {
    world.settings = settingsOf({ alarmPolicy: { redAtStart: 'ignore' } });
    world.alarmStates = [red];
    expect(await offer()).toMatchObject({ admission: 'admitted' });
    expect(world.item.deployment?.warnings).toEqual([
      'the alarm web-errors is red: 5 > 1; it counts once it was green',
    ]);
  });
});

describe('a freeze', () => {
  beforeEach(() => {
    const [from, to] = [start, start + 86_400_000].map((at) => new Date(at).toISOString());
    world.settings = settingsOf({ freeze: [{ kind: 'once', from, to, reason: 'fair' }] });
  });

  it('keeps a push until it is over, when the sweep offers it', async () => {
    expect(await offer()).toMatchObject({
      admission: 'queued',
      reason: expect.stringContaining('fair') as string,
    });
    expect((await sweep(world.ports)).started).toEqual([]);
    world.time = start + 86_400_000;
    expect((await sweep(world.ports)).started).toHaveLength(1);
    expect(await offer()).toMatchObject({ admission: 'admitted' });
  });

  it('names the push that a newer one takes the place of', async () => {
    world.item = liveItem({
      pending: { ...pendingOf(1), notBefore: start + 86_400_000 },
    });
    expect((await offer()).reason).toContain('shop/web:v1, which waited, is superseded by it');
  });

  it('that is taken back lets the push go within the hour, which is told once meanwhile', async () => {
    await offer();
    const told = world.item.intake;
    world.time += 3_600_000;
    expect((await sweep(world.ports)).started).toHaveLength(1);
    expect(await offer()).toMatchObject({ admission: 'queued' });
    expect(world.item.intake).toEqual(told);
    world.settings = settingsOf();
    world.time += 3_600_000;
    expect((await sweep(world.ports)).started).toHaveLength(1);
    expect(await offer()).toMatchObject({ admission: 'admitted' });
  });

  it('does not keep what somebody answers for: it is offered at once', async () => {
    world.item = liveItem({ pending: { ...pendingOf(2), notBefore: start + 86_400_000 } });
    await waive();
    expect((await sweep(world.ports)).started).toHaveLength(1);
    expect(await offer()).toMatchObject({ admission: 'admitted' });
  });
});
