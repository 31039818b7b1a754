/** What may stop or delay a deployment beside alarms and health: the comparison, a person, a freeze, the preflight, the image gate. */
import { describe, expect, it } from 'vitest';
import { comparisonSettings, leastBakeSeconds } from '../../functions/core/gates/comparison.ts';
import { imageGateSchema } from '../../functions/core/gates/image-gate.ts';
import { ended, expectLive, inWorld } from './cell.ts';
import { ground } from './ground.ts';
import { generations } from './stories.ts';
import type { World } from './world.ts';

const minuteMs = 60_000;

/** How the deployment of the digest ended, and why; `minutes` from its first weight to its end. */
async function end(world: World, digest: string) {
  await world.pass(
    () => world.item?.deployment?.plan.to.digest === digest && world.item.deployment.outcome !== null,
    `the end of ${digest}`,
  );
  await ended(world);
  const { outcome, reason, shiftedAt, turned, endedAt } = world.item!.deployment!;
  const minutes = ((turned?.at ?? endedAt ?? 0) - (shiftedAt ?? 0)) / minuteMs;
  return { outcome, reason: reason ?? '', minutes };
}

describe.each(['web', 'worker'] as const)('of %s', (service) => {
  describe('a comparison, where no alarm watches', () => {
    const compared = {
      alarms: [],
      comparison: comparisonSettings.parse({}),
      extendSeconds: 600,
      strategy: {
        kind: 'custom' as const,
        steps: [
          { weightPercent: 50, bakeSeconds: leastBakeSeconds + 60 },
          { weightPercent: 100, bakeSeconds: 0 },
        ],
      },
    };

    it('takes back what fails or is slow more often, and lets through what is equal', () =>
      inWorld(
        { ...ground(), service },
        async (world) => {
          const first = await world.goLive('v1');
          // So long the old generation's times are learned.
          await world.passMs(4 * minuteMs);
          const failing = await end(world, world.push('v2', { errorShare: 0.02 }));
          expect(failing.outcome).toBe('restored');
          expect(failing.reason).toMatch(/^more requests to \w+-g0002 failed: \d+ of .* of w\w+-g0001/);
          const slower = await end(world, world.push('v3', { latencyMs: 25 }));
          expect(slower.outcome).toBe('restored');
          expect(slower.reason).toMatch(/^more requests to \w+-g0003 were slow: .* \(slow is above \d+ ms/);
          expectLive(world, first);
          expect(await end(world, world.push('v4'))).toMatchObject({ outcome: 'live' });
        },
        { settings: compared },
      ));

    it('of too few requests bakes on to its limit, and then comes to what the policy says', () =>
      inWorld(
        { ...ground(), service },
        async (world) => {
          await world.goLive('v1');
          const failed = await end(world, world.push('v2'));
          expect(failed.outcome).toBe('restored');
          expect(failed.reason).toMatch(
            /could not be shown to be good, 600 s after its bake was over: too few to compare: \d+ of [\d,]+ requests/,
          );
          const least = (leastBakeSeconds + 60 + 600) / 60;
          expect(failed.minutes).toBeGreaterThanOrEqual(least);
          expect(failed.minutes).toBeLessThan(least + 3);
          await world.declare({ comparison: comparisonSettings.parse({ fewRequests: 'pass' }) });
          const passed = await end(world, world.push('v3'));
          expect(passed.outcome).toBe('live');
          expect(passed.minutes).toBeGreaterThanOrEqual(least);
        },
        { settings: compared, load: 0.2 },
      ));
  });

  it('a step that pauses waits for its approval: with it the deployment goes on, without it back at the deadline', () =>
    inWorld(
      { ...ground(), service },
      async (world) => {
        await world.goLive('v1');
        const digest = world.push('v2');
        await world.pass(() => world.item?.deployment?.pause != null, 'the pause');
        await world.passMs(20 * minuteMs);
        expect(world.weight('green')).toBe(10);
        await world.signal({ signal: 'approve', by: 'ann' });
        await world.passMs(minuteMs);
        expect(world.weight('green')).toBe(100);
        expect(await end(world, digest)).toMatchObject({ outcome: 'live' });
        const { outcome, reason, minutes } = await end(world, world.push('v3'));
        expect(outcome).toBe('restored');
        expect(reason).toMatch(/^nobody approved of \w+-g0003 until 2026/);
        expect(minutes).toBeGreaterThanOrEqual(31);
        expect(minutes).toBeLessThan(34);
        expectLive(world, digest);
      },
      {
        settings: {
          handDeadlineSeconds: 1_800,
          strategy: {
            kind: 'custom',
            steps: [
              { weightPercent: 10, bakeSeconds: 60, pause: true },
              { weightPercent: 100, bakeSeconds: 0 },
            ],
          },
        },
      },
    ));

  it('a push in a freeze waits until the sweep starts it when that is over; a rollback in it goes at once', () =>
    inWorld({ ...ground(), service }, async (world) => {
      const first = await world.goLive('v1');
      const second = await world.goLive('v2');
      await world.settle();
      const over = (Math.ceil(world.now / minuteMs) + 40) * minuteMs;
      const [from, to] = [world.now, over].map((at) => new Date(at).toISOString());
      await world.declare({ freeze: [{ kind: 'once', from: from!, to: to!, reason: 'the sale' }] });
      const third = world.push('v3');
      await world.passMs(20 * minuteMs);
      expectLive(world, second);
      expect(world.item?.pending).toMatchObject({ digest: third, notBefore: over });
      expect(world.item?.intake?.reason).toMatch(/^nothing is deployed until .* \(the sale\); it waits$/);
      await world.rollback({ by: 'ann', reason: 'the sale fails' });
      await world.pass(() => world.item?.live?.digest === first, 'the way back', 2 * minuteMs);
      await world.pass(() => world.item?.deployment?.plan.to.digest === third, 'the waiting push');
      expect(world.now).toBeGreaterThanOrEqual(over);
      expect(world.now).toBeLessThan(over + 6 * minuteMs);
      expect(await end(world, third)).toMatchObject({ outcome: 'live' });
    }));

  describe('before anything is launched', () => {
    it('no room is refused in words, and a red alarm until somebody answers for the push that mends it', () =>
      inWorld({ ...ground(), service }, async (world) => {
        const first = await world.goLive('v1');
        const made = world.checker.writes.length;
        await world.declare({ minimumCount: 3_000 });
        world.push('v2');
        await world.pass(() => world.item?.intake?.image === `${service}:v2`, 'an answer');
        expect(world.item?.intake).toMatchObject({ admission: 'rejected' });
        expect(world.item?.intake?.reason).toMatch(
          /^before anything was launched: the new generation needs 3000 addresses, one for each (?:task|instance), and its subnets have 20\d\d free/,
        );
        await world.declare({ minimumCount: 2 });

        world.aws.tasks.alter(({ image }) => image.digest === first, { errorShare: 0.05 });
        await world.passMs(3 * minuteMs);
        world.push('v3');
        await world.pass(() => world.item?.intake?.image === `${service}:v3`, 'an answer');
        expect(world.item?.intake).toMatchObject({ admission: 'rejected' });
        expect(world.item?.intake?.reason).toMatch(/the alarm web-5xx is red.*"signal":"waive"/);
        expect(world.checker.writes.length).toBe(made);
        expectLive(world, first);
        await world.signal({ signal: 'waive', by: 'ann', reason: 'v3 mends it' });
        const mended = await world.goLive('v3.1', {}, 'v3');
        expect(world.item?.deployment?.waiver).toMatchObject({ by: 'ann', reason: 'v3 mends it' });
        await ended(world);
        expectLive(world, mended);
        // Answered for once only.
        expect(world.item?.waiver).toBeNull();
      }));

    it('an image is scanned: with a critical finding nothing is launched, without one it goes live', () =>
      inWorld({ ...ground(), service }, async (world) => {
        const first = await world.goLive('v1');
        const made = generations(world);
        await world.declare({ imageGate: imageGateSchema.parse({ scan: { maximumSeverity: 'HIGH' } }) });
        const digest = world.push('v2');
        const vulnerability = { name: 'CVE-2024-3094', severity: 'CRITICAL' as const, package: 'xz' };
        world.aws.ecr.scans.finds(digest, { vulnerabilities: [vulnerability] });
        const { outcome, reason } = await end(world, digest);
        expect(outcome).toBe('restored');
        expect(reason).toMatch(/may not be launched: .*CVE-2024-3094/);
        expect(generations(world)).toBe(made);
        expectLive(world, first);
        await world.goLive('v3');
      }));
  });
});
