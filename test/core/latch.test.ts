import { describe, expect, it } from 'vitest';
import { restoring } from '../../functions/core/deployment/course.ts';
import type { Latch, ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { type GenerationName, generationName } from '../../functions/core/names.ts';
import { latch, stopReason } from '../../functions/core/signals/latch.ts';
import type { Signal } from '../../functions/core/signals/signal.ts';
import {
  baking,
  because,
  digestOf,
  ended,
  generationOf,
  goingBack,
  liveItem,
  start,
  web,
} from './examples.ts';

const generation: GenerationName = generationName.parse('web-g0002');
const startedAt = baking(0).item.deployment!.startedAt;
const quiet: Latch = {
  running: [],
  crashes: [],
  fleetFailed: null,
  noRoom: [],
  notLaunched: [],
  alarm: null,
  abort: null,
  superseded: null,
  approvals: [],
};

const ran = (task: string): Signal => ({ kind: 'taskRunning', service: web, generation, task });
const crashed = (task: string): Signal => ({
  kind: 'taskStopped',
  service: web,
  generation,
  task,
  crashed: true,
  reason: `${task} exited`,
});
const scaledIn: Signal = {
  kind: 'taskStopped',
  service: web,
  generation,
  task: 't1',
  crashed: false,
  reason: 'scaled in',
};
const failed: Signal = { kind: 'fleetFailed', service: web, generation, reason: 'circuit breaker' };
const noRoom = (event: string): Signal => ({
  kind: 'noRoom',
  service: web,
  generation,
  event,
  reason: 'RESOURCE:FARGATE.',
});
const notLaunched = (event: string): Signal => ({
  kind: 'notLaunched',
  service: web,
  generation,
  event,
  reason: 'We currently do not have sufficient t3.small capacity.',
});
const steady: Signal = { kind: 'steady', service: web, generation };
const alarm: Signal = { kind: 'alarm', alarm: 'web-errors', reason: '5 > 1', at: startedAt + 60_000 };
const abort: Signal = { kind: 'abort', service: web, by: 'ann', reason: 'wrong version' };

function waitingFor(what: 'healthy' | 'bake'): ServiceItem {
  return {
    ...baking(what === 'bake' ? 1 : 0).item,
    wait: { token: 'token', for: what, deadline: start, entered: start },
  };
}

/** The signals one after the other; what the last one ends. */
function after(signals: readonly Signal[], item: ServiceItem) {
  let latched = { item, end: undefined as ReturnType<typeof latch>['end'], remark: '' };
  for (const signal of signals) latched = latch(latched.item, signal, start);
  return latched;
}

describe('a signal', () => {
  it.each<[string, readonly Signal[], 'healthy' | 'bake', { error: string; cause: string } | undefined]>([
    ['that one of two tasks runs', [ran('t1')], 'healthy', undefined],
    [
      'that the last task runs',
      [ran('t1'), ran('t2')],
      'healthy',
      { error: 'Cutover.Woken', cause: 'all tasks run' },
    ],
    [
      'that the last task runs again',
      [ran('t1'), ran('t2'), ran('t2')],
      'healthy',
      { error: 'Cutover.Woken', cause: 'all tasks run' },
    ],
    ['that the service is steady', [steady], 'healthy', { error: 'Cutover.Woken', cause: 'all tasks run' }],
    ['that tasks run', [ran('t1'), ran('t2'), steady], 'bake', undefined],
    ['that a task was scaled in', [scaledIn], 'bake', undefined],
    ['that two tasks crashed', [crashed('t1'), crashed('t2')], 'bake', undefined],
    [
      'that three tasks crashed',
      [crashed('t1'), crashed('t2'), crashed('t3')],
      'bake',
      {
        error: 'Cutover.Unhealthy',
        cause: '3 tasks of the new generation stopped by themselves; the last one: t3 exited',
      },
    ],
    [
      'that one task crashed three times over',
      [crashed('t1'), crashed('t1'), crashed('t1')],
      'bake',
      undefined,
    ],
    ['that no room was found twice', [noRoom('e1'), noRoom('e2'), noRoom('e2')], 'healthy', undefined],
    [
      'that no room was found again and again',
      [noRoom('e1'), noRoom('e2'), noRoom('e3')],
      'healthy',
      {
        error: 'Cutover.Unhealthy',
        cause:
          'no room was found for its tasks, 3 times: RESOURCE:FARGATE. It is capacity or a quota: ask for a larger quota, or give the service other subnets or a smaller task',
      },
    ],
    [
      'that instances could not be launched again and again',
      [notLaunched('e1'), notLaunched('e2'), notLaunched('e2'), notLaunched('e3')],
      'healthy',
      {
        error: 'Cutover.Unhealthy',
        cause:
          '3 launches of instances of the new generation failed; the last one: We currently do not have sufficient t3.small capacity',
      },
    ],
    [
      'that instances could not be launched, but another one could in between',
      [notLaunched('e1'), notLaunched('e2'), ran('i-1'), notLaunched('e3')],
      'healthy',
      undefined,
    ],
    [
      'that no more instances could be launched while it takes traffic',
      [notLaunched('e1'), notLaunched('e2'), notLaunched('e3')],
      'bake',
      undefined,
    ],
    [
      'that no room is found for more while it takes traffic',
      [noRoom('e1'), noRoom('e2'), noRoom('e3')],
      'bake',
      undefined,
    ],
    [
      'that ECS gave up',
      [failed],
      'healthy',
      { error: 'Cutover.Unhealthy', cause: 'ECS gave the new generation up: circuit breaker' },
    ],
    [
      'that an alarm is red',
      [alarm],
      'bake',
      { error: 'Cutover.AlarmRed', cause: 'the alarm web-errors is red: 5 > 1' },
    ],
    [
      'that an alarm is red while it launches',
      [alarm],
      'healthy',
      { error: 'Cutover.AlarmRed', cause: 'the alarm web-errors is red: 5 > 1' },
    ],
    [
      'to abort',
      [abort],
      'bake',
      { error: 'Cutover.Aborted', cause: 'ann ended the deployment: wrong version' },
    ],
    [
      'to abort, after an alarm',
      [alarm, abort],
      'bake',
      { error: 'Cutover.Aborted', cause: 'ann ended the deployment: wrong version' },
    ],
    [
      'of any kind, after an alarm',
      [alarm, ran('t1')],
      'bake',
      { error: 'Cutover.AlarmRed', cause: 'the alarm web-errors is red: 5 > 1' },
    ],
  ])('%s ends %j with what it says', (_, signals, what, expected) => {
    const { end } = after(signals, waitingFor(what));
    expect(end).toEqual(expected === undefined ? undefined : { token: 'token', ...expected });
  });

  it.each([ran('t1'), crashed('t1'), failed, alarm, abort])(
    'is latched once: twice changes nothing ($kind)',
    (signal) => {
      const item = waitingFor('bake');
      const once = latch(item, signal, start);
      expect(once).toMatchObject({ remark: 'latched' });
      expect(once.item).not.toBe(item);
      const twice = latch(once.item, signal, start + 9);
      expect(twice).toMatchObject({ item: once.item, remark: 'known before' });
      expect(twice.item).toBe(once.item);
      expect(twice.end).toEqual(once.end);
    },
  );

  it('of what is not ended for days does not fill the item', () => {
    const { item, plan } = baking(0);
    const returning = restoring(item, plan, item.weights!, because('why'), start);
    const many = Array.from({ length: 600 }, (_, at) => [`a${at}`, `b${at}`, `c${at}`] as const);
    const signals = many.flatMap(([stays, goes, event]) => [
      ran(stays),
      ran(goes),
      crashed(goes),
      noRoom(event),
    ]);
    const { latch: known } = after(signals, returning).item.deployment!;
    expect([known.running.length, known.crashes.length, known.noRoom.length]).toEqual([499, 10, 10]);
    expect(known.crashes.at(-1)?.task).toBe('b599');
  });

  it('between two waits is remembered, and ends none', () => {
    const { item, end } = latch(baking(1).item, abort, start + 3);
    expect(end).toBeUndefined();
    expect(item.deployment?.latch.abort).toEqual({ by: 'ann', reason: 'wrong version', at: start + 3 });
  });

  it('ends no wait of a deployment that goes back already', () => {
    const { item, plan } = baking(1);
    const returning = {
      ...restoring(item, plan, item.weights!, because('why'), start),
      wait: { token: 'token', for: 'bake' as const, deadline: start, entered: start },
    };
    expect(latch(returning, abort, start).end).toBeUndefined();
  });

  it.each<[string, ServiceItem, Signal, string]>([
    ['when nothing is deployed', liveItem(), abort, 'no deployment is running'],
    ['after the end', ended().item, abort, 'no deployment is running'],
    [
      'of another generation',
      waitingFor('bake'),
      { ...crashed('t1'), generation: generationName.parse('web-g0001') } as Signal,
      'web-g0001 is not the generation being deployed',
    ],
    [
      "of an alarm that is not the service's",
      waitingFor('bake'),
      { ...alarm, alarm: 'other' },
      'other is not an alarm of web',
    ],
    [
      'of an alarm that was red before the deployment began, delivered again or late',
      waitingFor('bake'),
      { ...alarm, at: startedAt - 1_001 },
      'the alarm web-errors was red before this deployment began, when Plan asked for it',
    ],
  ])('changes nothing %s', (_, item, signal, remark) => {
    expect(latch(item, signal, start)).toEqual({ item, end: undefined, remark });
    expect(latch(item, signal, start).item).toBe(item);
  });

  it('of an alarm counts from the second in which the deployment began: events are told in whole seconds', () => {
    expect(
      latch(waitingFor('bake'), { ...alarm, at: Math.floor(startedAt / 1_000) * 1_000 }, start).remark,
    ).toBe('latched');
  });

  it('that a task crashed takes it from those that run', () => {
    expect(after([ran('t1'), crashed('t1')], waitingFor('healthy')).item.deployment?.latch).toMatchObject({
      running: [],
      crashes: [{ task: 't1' }],
    });
  });
});

describe('a release', () => {
  const held = [2, 3].map((number) => ({
    digest: digestOf(number),
    generation: generationOf(number).name,
    by: 'ann',
    reason: 'slow',
    at: start,
  }));
  const release: Signal = { kind: 'release', service: web, by: 'bob' };

  it.each<[string, Signal, string, readonly number[]]>([
    ['one', { ...release, digest: digestOf(2) }, 'released 000000000000', [3]],
    ['all', release, 'released 000000000000, 000000000000', []],
  ])('of %s lets it be deployed again, and ends no wait', (_, signal, remark, left) => {
    for (const item of [liveItem({ held }), { ...waitingFor('bake'), held }]) {
      const latched = latch(item, signal, start);
      expect(latched).toEqual({
        item: { ...item, held: held.filter(({ digest }) => left.map(digestOf).includes(digest)) },
        end: undefined,
        remark,
      });
    }
  });

  it.each<[string, ServiceItem, Signal, string]>([
    ['another digest', liveItem({ held }), { ...release, digest: digestOf(9) }, '000000000000 is not held'],
    ['nothing', liveItem(), release, 'nothing is held'],
  ])('of %s changes nothing, and says so', (_, item, signal, remark) => {
    const latched = latch(item, signal, start);
    expect(latched).toEqual({ item, end: undefined, remark });
    expect(latched.item).toBe(item);
  });
});

describe('a rollback', () => {
  const { item: begun, plan } = goingBack();
  const item = { ...begun, wait: { token: 'token', for: 'bake' as const, deadline: start, entered: start } };
  const at = begun.deployment!.startedAt + 60_000;

  it('is not stopped by an alarm, which is red because of what is live', () => {
    const latched = latch(item, { ...alarm, at } as Signal, start);
    expect(latched).toEqual({
      item,
      end: undefined,
      remark: 'web-errors is red, which does not stop a rollback',
    });
    expect(latched.item).toBe(item);
  });

  it.each<[string, Signal, string]>([
    ['a person', abort, 'Cutover.Aborted'],
    ['its own generation giving up', { ...failed, generation: plan.to.name } as Signal, 'Cutover.Unhealthy'],
  ])('is stopped by %s', (_, signal, error) => {
    expect(latch(item, signal, start).end).toMatchObject({ token: 'token', error });
  });
});

describe('what stops a deployment', () => {
  const crashes = ['t1', 't2', 't3'].map((task) => ({ task, reason: `${task} exited` }));
  const full: Latch = {
    running: ['t1'],
    crashes,
    fleetFailed: 'gave up',
    noRoom: [],
    notLaunched: [],
    alarm: { name: 'a', reason: '', at: 0 },
    abort: { by: 'ann', reason: 'no', at: 0 },
    superseded: null,
    approvals: [],
  };
  it.each([
    [full, 'Cutover.Aborted'],
    [{ ...full, abort: null }, 'Cutover.AlarmRed'],
    [{ ...full, abort: null, alarm: null }, 'Cutover.Unhealthy'],
    [{ ...quiet, fleetFailed: 'gave up' }, 'Cutover.Unhealthy'],
    [{ ...quiet, crashes }, 'Cutover.Unhealthy'],
    [{ ...quiet, crashes: crashes.slice(0, 2), running: ['t1'] }, undefined],
    [quiet, undefined],
  ])('a person first, then alarms, then ECS, then crashes', (known, error) => {
    expect(stopReason({ latch: known, plan: baking(0).plan })?.error).toBe(error);
  });
});
