/** What runs at its start, if it has one, and then by its schedule until its end. */
import type { Clock, Timer } from '../../clock.ts';
import type { Schedule } from './cron.ts';

export interface ScheduledRuns extends Timer {
  /** When it runs next; undefined when never again. */
  next(): number | undefined;
}

export function scheduledRuns(options: {
  clock: Clock;
  schedule: Schedule;
  /** One that has passed is none. */
  start: Date | undefined;
  end: Date | undefined;
  run: () => void;
}): ScheduledRuns {
  const { clock, schedule, start, end, run } = options;
  let timer: Timer | undefined;
  let next: number | undefined;
  const wait = (at: number | undefined): void => {
    next = at === undefined || (end !== undefined && at > end.getTime()) ? undefined : at;
    if (next === undefined) return;
    timer = clock.after(next - clock.now(), () => {
      wait(schedule(clock.now()));
      run();
    });
  };
  const now = clock.now();
  wait(start !== undefined && start.getTime() > now ? start.getTime() : schedule(now));
  return { next: () => next, cancel: () => timer?.cancel() };
}
