import { describe, expect, it } from 'vitest';
import { FastForwardClock } from '../local/clock.ts';

const hour = 3_600_000;

function fastForward(speed: number): FastForwardClock {
  return new FastForwardClock({
    speed,
    onFailure: (failure) => {
      throw failure;
    },
  });
}

describe('the speed of the clock', () => {
  it('can be raised while something is pending, which then comes sooner', async () => {
    const clock = fastForward(1);
    const begun = clock.now();
    const slept = clock.sleep(hour);
    clock.speed = 1_000_000;
    await slept;
    expect(clock.now() - begun).toBeGreaterThanOrEqual(hour);
    clock.stop();
  });

  it('can be lowered to the wall’s, without a jump', async () => {
    const clock = fastForward(1_000_000);
    const before = clock.now();
    clock.speed = 1;
    const [lowered, wall] = [clock.now(), Date.now()];
    await clock.sleep(20);
    expect(lowered).toBeGreaterThanOrEqual(before);
    expect(Math.abs(clock.now() - lowered - (Date.now() - wall))).toBeLessThanOrEqual(2);
    clock.stop();
  });
});
