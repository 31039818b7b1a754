/** What the sweep starts for what is open, and under which names. */
import { beforeEach, describe, expect, it } from 'vitest';
import { retiring } from '../../functions/core/deployment/course.ts';
import { serviceName } from '../../functions/core/names.ts';
import { planDeployment } from '../../functions/steps/plan-deployment.ts';
import { sweep } from '../../functions/steps/sweep.ts';
import {
  baking,
  execution,
  generationOf,
  liveItem,
  pendingOf,
  pushOf,
  retainedOf,
  start,
} from '../core/examples.ts';
import { World } from './world.ts';

let world: World;
beforeEach(() => {
  world = new World();
  world.time = start;
});

const dead = execution('event-2');
const period = start / 300_000;
const api = serviceName.parse('api');

describe('an owner that died', () => {
  beforeEach(() => {
    world.item = baking(1).item;
    world.executions.set(dead, 'ABORTED');
  });

  it('is recovered', async () => {
    expect(await sweep(world.ports)).toEqual({ started: [`recover-web-${period}`] });
    expect([...world.started.values()]).toEqual([{ machine: 'recover', input: { service: 'web' } }]);
  });

  it('is recovered once, however often the sweep runs', async () => {
    for (let time = 0; time < 5; time++) await sweep(world.ports);
    expect(world.started.size).toBe(1);
  });

  it('is recovered again minutes later at the soonest: a recovery that cannot succeed calls the sweep by its end', async () => {
    for (let minute = 0; minute < 60; minute++) {
      world.time = start + minute * 60_000;
      const owner = { execution: execution(`recover-${minute}`), redrives: 0, since: world.time };
      world.executions.set(owner.execution, 'FAILED');
      world.item = { ...world.item, fence: world.item.fence + 1, owner };
      await sweep(world.ports);
    }
    expect(world.started.size).toBe(12);
  });

  it('is a retirement too', async () => {
    world.item = retiring(liveItem(), execution('retire'), start);
    world.executions.set(execution('retire'), 'TIMED_OUT');
    expect((await sweep(world.ports)).started).toEqual([`recover-web-${period}`]);
  });

  it('keeps what waits waiting until it is recovered', async () => {
    world.item = { ...world.item, pending: pendingOf(3) };
    expect((await sweep(world.ports)).started).toEqual([`recover-web-${period}`]);
  });
});

describe('nothing is started', () => {
  it.each<[string, (to: World) => unknown]>([
    ['for a service that nobody has', (to) => (to.item = liveItem())],
    ['for an owner that lives', (to) => (to.item = baking(1).item)],
    [
      'for an owner that began just now and cannot be found yet',
      (to) => {
        const { item } = baking(1);
        to.item = { ...item, owner: { ...item.owner!, since: start } };
        to.executions.set(dead, 'unknown');
      },
    ],
    [
      'for a generation that the retire machine will end in its time',
      (to) => (to.item = liveItem({ retained: [retainedOf(generationOf(0), start - 599_999)] })),
    ],
  ])('%s', async (_, given) => {
    given(world);
    expect(await sweep(world.ports)).toEqual({ started: [] });
    expect(world.started.size).toBe(0);
  });
});

describe('a push that waits', () => {
  const name = `web-${period}-event-3`;
  beforeEach(() => {
    world.item = liveItem({ pending: pendingOf(3) });
    world.live(generationOf(1));
  });

  it('is offered as the event that it came with', async () => {
    expect((await sweep(world.ports)).started).toEqual([name]);
    const { machine, input } = world.started.get(name)!;
    expect(machine).toBe('deploy');
    const run = { arn: execution('offered'), redrives: 0 };
    const offered = input as { service: typeof api; event: unknown };
    expect(await planDeployment({ ...offered, execution: run }, world.ports)).toMatchObject({
      admission: 'admitted',
      plan: { to: { digest: pushOf(3).digest } },
    });
    expect(await sweep(world.ports)).toEqual({ started: [] });
  });

  it('is not offered before its time, and is then', async () => {
    world.item = liveItem({ pending: { ...pendingOf(3), notBefore: start + 1_000 } });
    expect(await sweep(world.ports)).toEqual({ started: [] });
    world.time = start + 1_000;
    expect((await sweep(world.ports)).started).toEqual([name]);
  });

  it('is offered again when its execution failed, under another name', async () => {
    await sweep(world.ports);
    world.time += 299_999;
    await sweep(world.ports);
    expect([...world.started.keys()]).toEqual([name]);
    world.time += 1;
    await sweep(world.ports);
    expect([...world.started.keys()]).toEqual([name, `web-${period + 1}-event-3`]);
  });

  it('has names that Step Functions takes, and that differ in time however long the id is', async () => {
    const eventId = `${'x'.repeat(100)}:ü/ ${'y'.repeat(24)}`;
    world.item = liveItem({ pending: { ...pendingOf(3), eventId } });
    await sweep(world.ports);
    world.time += 300_000;
    await sweep(world.ports);
    const names = [...world.started.keys()];
    expect(new Set(names).size).toBe(2);
    for (const each of names) expect(each).toMatch(/^[0-9A-Za-z_-]{1,80}$/);
  });
});

describe('a generation that nobody retired', () => {
  it('gets a retirement, so that its slot becomes free for what waits', async () => {
    world.item = liveItem({
      pending: pendingOf(3),
      retained: [retainedOf(generationOf(0), start - 600_000)],
    });
    expect((await sweep(world.ports)).started).toEqual([`retire-web-${period}`, `web-${period}-event-3`]);
    expect(world.started.get(`retire-web-${period}`)).toEqual({
      machine: 'retire',
      input: { service: 'web' },
    });
  });
});

describe('one service that fails', () => {
  it('does not keep the others, and the whole is tried again', async () => {
    world.item = { ...liveItem({ pending: pendingOf(2) }), service: api };
    world.item = liveItem({ pending: pendingOf(3) });
    const { ledger } = world.ports;
    const ports = {
      ...world.ports,
      ledger: {
        ...ledger,
        read: async (service: typeof api) => {
          if (service === api) throw new Error('the item of api cannot be read');
          return ledger.read(service);
        },
      },
    };
    await expect(sweep(ports)).rejects.toThrow('the item of api cannot be read');
    expect([...world.started.keys()]).toEqual([`web-${period}-event-3`]);
  });

  it('of which AWS cannot say how its owner stands starts nothing, and the whole is tried again', async () => {
    world.item = baking(1).item;
    world.fail('executions.status');
    await expect(sweep(world.ports)).rejects.toThrow('executions.status failed');
    expect(world.started.size).toBe(0);
  });
});
