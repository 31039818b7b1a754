/** Instances that do not come, or do not stay: the deployment goes back, with what EC2 Auto Scaling says of it, in words. */
import { describe, expect, it } from 'vitest';
import { ended, expectLive, inWorld } from './cell.ts';
import { ground } from './ground.ts';
import { baking } from './stories.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;

/** Lets the deployment of the digest go back; what was told of why, and what it left behind. */
async function wayBack(world: World, first: string, digest: string) {
  await world.pass(
    () => world.item?.deployment?.plan.to.digest === digest && world.item.deployment.outcome !== null,
    'its end',
  );
  await ended(world);
  expectLive(world, first);
  const { outcome, reason, lastWords, startedAt, turned } = world.item!.deployment!;
  expect(outcome).toBe('restored');
  return {
    reason: reason ?? '',
    said: (lastWords?.events ?? []).join(' | '),
    minutes: ((turned?.at ?? 0) - startedAt) / minuteMs,
  };
}

const tell = (story: (world: World, first: string) => Promise<void>) =>
  inWorld(ground(), async (world) => story(world, await world.goLive('v1')), { service: 'worker' });

describe('instances', () => {
  it('that never answer are taken back at the deadline, each named with what its health check met', () =>
    tell(async (world, first) => {
      const digest = world.push('v2', { bootMs: 24 * 60 * minuteMs });
      const { reason, minutes } = await wayBack(world, first, digest);
      expect(reason).toMatch(
        /^worker-g0002 did not become healthy within 120 s: 0 of 2 targets are healthy; i-\w+ is unhealthy/,
      );
      expect(minutes).toBeLessThan(3);
    }));

  it('that fail after they were healthy are taken back at the next look, and what replaced them is told', () =>
    tell(async (world, first) => {
      const digest = world.push('v2');
      await baking(world, digest, 1);
      world.checker.mayDie = true;
      world.aws.tasks.becomeUnhealthy(({ image }) => image.digest === digest);
      const { reason, said } = await wayBack(world, first, digest);
      // Unhealthy, or replaced already.
      expect(reason).toMatch(/^worker-g0002 did not stay healthy: .*targets are healthy; i-\w+ is \w+ \(/);
      expect(said).toContain('in response to an ELB system health check failure');
    }));

  it('for which there is no capacity are taken back after three tries, in the words of the activity', () =>
    tell(async (world, first) => {
      const words =
        'We currently do not have sufficient t3.small capacity in the Availability Zone you requested (us-east-1a).';
      world.exhaust(words);
      const { reason, said, minutes } = await wayBack(world, first, world.push('v2'));
      expect(reason).toBe(
        `3 launches of instances of the new generation failed; the last one: ${words} Launching EC2 instance failed`,
      );
      expect(said).toContain(words);
      expect(minutes).toBeLessThan(3);
    }));

  it('whose launch hook nobody answers are given up, and taken back with that reason', () =>
    tell(async (world, first) => {
      const { fleet } = await world.settings();
      const hook = { name: 'warm-up', at: 'launching', heartbeatSeconds: 30, onTimeout: 'abandon' };
      await world.declare({ fleet: { ...fleet, hooks: [hook] } });
      const { reason, said } = await wayBack(world, first, world.push('v2'));
      expect(reason).toMatch(
        /^worker-g0002 did not become healthy within 120 s: 0 of 2 instances run; .*; an instance could not be launched: .*abandoned: Heartbeat Timeout$/,
      );
      expect(said).toContain('Heartbeat Timeout');
    }));

  it('that a launch hook lets in are waited for', () =>
    tell(async (world) => {
      const { fleet } = await world.settings();
      const hook = { name: 'warm-up', at: 'launching', heartbeatSeconds: 30, onTimeout: 'continue' };
      await world.declare({ fleet: { ...fleet, hooks: [hook] } });
      const digest = await world.goLive('v2');
      await ended(world);
      expect(world.item?.live?.digest).toBe(digest);
    }));

  it('that do not end, for a hook that nobody answers, are told once, with what waits for them', () =>
    tell(async (world, first) => {
      const { fleet } = await world.settings();
      const hook = { name: 'archive', at: 'terminating', heartbeatSeconds: 7_200, onTimeout: 'continue' };
      await world.declare({ fleet: { ...fleet, hooks: [hook] } });
      await baking(world, world.push('v2'), 1);
      await world.signal({ signal: 'abort', by: 'ann' });
      await world.pass(() => world.item?.deployment?.phase === 'restoring', 'the way back');
      await world.passMs(20 * minuteMs);
      world.push('v3');
      await world.pass(() => world.item?.pending !== null, 'the next push');
      // To end what goes back already would be in vain.
      expect(world.item?.intake?.reason).toMatch(
        /^it waits for worker-g0002-d\d+ \(worker:v2\) to end, which goes back already$/,
      );
      const order = await world.rollback();
      await world.passMs(minuteMs);
      expect(world.item?.intake).toMatchObject({ id: order, admission: 'rejected' });
      expect(world.item?.intake?.reason).toMatch(
        / holds the service and goes back already\. Order again when it has ended/,
      );
      expect(world.item?.deployment?.stillReached).toBeNull();
      await world.passMs(40 * minuteMs);
      expect(world.item?.deployment?.stillReached).toMatch(
        /^worker-g0002 .* not all of its instances are gone since /,
      );
      expectLive(world, first);
      await world.pass(
        () => world.item?.live?.tag === 'v3' && world.item.owner === null,
        'the next deployment',
      );
      await ended(world);
    }));
});
