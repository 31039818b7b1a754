/** Signals that reach a running deployment, and what is told of it. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Plan } from '../../functions/core/deployment/plan.ts';
import { serviceName } from '../../functions/core/names.ts';
import { announce } from '../../functions/steps/announce.ts';
import { awaitSignal } from '../../functions/steps/await-signal.ts';
import { launch } from '../../functions/steps/launch.ts';
import { signal } from '../../functions/steps/signal.ts';
import { generationOf, liveItem, pushOf, start } from '../core/examples.ts';
import { World } from './world.ts';

let world: World;
let plan: Plan;
beforeEach(async () => {
  world = new World();
  world.item = liveItem();
  world.live(generationOf(1));
  world.launchesAs = { health: 'initial' };
  world.time = start + 200_000;
  plan = await world.plan(pushOf(2));
  await launch({ plan }, world.ports);
  await awaitSignal(
    {
      plan,
      for: 'healthy',
      deadline: world.time + 600_000,
      recheckSeconds: 10,
      token: 'token',
      entered: start,
    },
    world.ports,
  );
  world.written();
  world.ended.length = 0;
});

const abort = { service: 'web', signal: 'abort', by: 'ann', reason: 'wrong' };
const alarm = (name = 'web-errors') => ({
  'detail-type': 'CloudWatch Alarm State Change',
  time: new Date(start + 300_000).toISOString(),
  detail: { alarmName: name, state: { value: 'ALARM', reason: '5 > 1' } },
});
const taskRuns = (task: string) => ({
  'detail-type': 'ECS Task State Change',
  detail: { taskArn: `arn:aws:ecs:x:1:task/c/${task}`, group: 'service:web-g0002', lastStatus: 'RUNNING' },
});

describe('a signal', () => {
  it('is latched, then ends the wait', async () => {
    expect(await signal(abort, world.ports)).toEqual({
      remarks: ['web-g0002-d2: latched, its wait ends now: ann ended the deployment: wrong'],
      deployments: ['web-g0002-d2'],
    });
    expect(world.written()).toEqual(['ledger: latched']);
    expect(world.ended).toEqual([
      { token: 'token', how: 'Cutover.Aborted', cause: 'ann ended the deployment: wrong' },
    ]);
  });

  it('that could not end the wait ends it when it comes again, and latches nothing new', async () => {
    world.fail('waits.end');
    await expect(signal(abort, world.ports)).rejects.toThrow('failed');
    world.written();
    expect(await signal(abort, world.ports)).toEqual({
      remarks: ['web-g0002-d2: known before, its wait ends now: ann ended the deployment: wrong'],
      deployments: ['web-g0002-d2'],
    });
    expect(world.written()).toEqual([]);
    expect(world.ended).toHaveLength(1);
  });

  it('is latched on top of what others write at the same time', async () => {
    world.conflicts.push((item) => ({
      ...item,
      wait: { token: 'newer', for: 'healthy', deadline: start, entered: start },
    }));
    await signal(abort, world.ports);
    expect(world.ended).toMatchObject([{ token: 'newer' }]);
  });

  it('that the last task runs wakes the wait', async () => {
    for (const task of ['a', 'b', 'c']) await signal(taskRuns(task), world.ports);
    expect(world.ended).toEqual([]);
    await signal(taskRuns('d'), world.ports);
    expect(world.ended).toMatchObject([{ how: 'Cutover.Woken' }]);
  });

  it.each([
    ['is none', 'hello', 'neither an event of ECS, EC2 Auto Scaling or CloudWatch'],
    [
      'is of no interest',
      { ...taskRuns('a'), detail: { ...taskRuns('a').detail, lastStatus: 'PENDING' } },
      'the task is PENDING',
    ],
    [
      'is for a service that was never deployed',
      { ...abort, service: 'api' },
      'api: nothing was ever pushed to a service of that name',
    ],
    ["is of another's alarm", alarm('other'), 'web-g0002-d2: other is not an alarm of web'],
  ])('that %s changes nothing, and says so', async (_, event, remark) => {
    const { remarks } = await signal(event, world.ports);
    expect(remarks).toHaveLength(1);
    expect(remarks[0]).toContain(remark);
    expect(world.written()).toEqual([]);
  });

  it('of an alarm reaches every service that is being deployed, also when one of them fails', async () => {
    const api = serviceName.parse('api');
    const broken = { ...world.item, service: api };
    world.item = broken;
    const { ledger } = world.ports;
    const ports = {
      ...world.ports,
      ledger: {
        ...ledger,
        open: async () => [api, plan.settings.service],
        change: (async (service, decide) => {
          if (service === api) throw new Error('the item of api cannot be read');
          return ledger.change(service, decide);
        }) as typeof ledger.change,
      },
    };
    await expect(signal(alarm(), ports)).rejects.toThrow('the item of api cannot be read');
    expect(world.ended).toMatchObject([{ token: 'token', how: 'Cutover.AlarmRed' }]);
  });
});

describe('announce', () => {
  it('writes history, and says what people want to hear', async () => {
    const before = world.item;
    await signal(abort, world.ports);
    await announce({ before: null, after: world.item }, world.ports);
    expect(world.told.map(({ kind }) => kind)).toEqual(['started', 'launched']);
    expect(world.said.map(({ subject }) => subject)).toEqual([
      'web: shop/web:v2 is being deployed as web-g0002',
    ]);
    await announce({ before, after: world.item }, world.ports);
    expect(world.told).toHaveLength(2);
  });

  it('says it again when it is called again, with the same id', async () => {
    for (let time = 0; time < 2; time++) await announce({ before: null, after: world.item }, world.ports);
    expect(world.told).toHaveLength(2);
    expect(new Set(world.said.map(({ id }) => id)).size).toBe(1);
  });
});
