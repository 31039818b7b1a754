/**
 * When targets are checked: each on its own schedule, one check per interval of the clock, the first at a random phase
 * of the interval. The check itself is I/O in wall time; one that is still open when the next is due takes its place.
 */
import type { ProbeResult } from '../../balancer/protocol.ts';
import type { Clock, Timer } from '../../clock.ts';

export interface Watched {
  /** Read before each round, so that ModifyTargetGroup takes effect with the next one. */
  intervalMs(): number;
  probe(): Promise<ProbeResult>;
  onResult(result: ProbeResult): void;
}

export interface Watch {
  stop(): void;
}

export function watch(clock: Clock, random: () => number, watched: Watched): Watch {
  let stopped = false;
  let open = false;
  let timer: Timer;

  const round = async (): Promise<void> => {
    timer = clock.after(watched.intervalMs(), round);
    if (open) return;
    open = true;
    try {
      const result = await watched.probe();
      if (!stopped) watched.onResult(result);
    } catch (error) {
      // A balancer that was closed meanwhile answers no more, and nobody asks.
      if (!stopped) throw error;
    } finally {
      open = false;
    }
  };

  timer = clock.after(random() * watched.intervalMs(), round);
  return {
    stop: () => {
      stopped = true;
      timer.cancel();
    },
  };
}
