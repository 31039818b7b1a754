/**
 * What a generation that failed left behind: the last lines that it logged, and what the fleet said of it. Short in a message, for
 * it is read on a phone; whole in the ledger.
 */
import type { ErrorName } from '../errors.ts';
import type { Deployment } from '../ledger/service-item.ts';

/** Each list with the newest last. */
export interface LastWords {
  /** What was logged; empty when nothing was, or nobody may read it. */
  readonly log: readonly string[];
  /** What the fleet said of it that is not everyday: capacity, quotas, start failures. */
  readonly events: readonly string[];
  /** Why one of the two could not be read. */
  readonly unread: readonly string[];
}

const mostInMessage = 160;
const mostInLedger = 500;
const linesInLedger = 20;

export function kept({ log, events, unread }: LastWords) {
  const cut = (lines: readonly string[]) =>
    lines.slice(-linesInLedger).map((line) => cutTo(line, mostInLedger));
  return { log: cut(log), events: cut(events), unread: cut(unread) };
}

/** The newest of each; null when there is nothing to say. */
function inShort({ log, events }: LastWords): string | null {
  const said = events.at(-1);
  const logged = log.slice(-2).map((line) => `"${cutTo(line, mostInMessage)}"`);
  const words = [
    ...(said === undefined ? [] : [`Of it was said: ${cutTo(said, mostInMessage).replace(/\.+$/, '')}`]),
    ...(logged.length === 0 ? [] : [`It logged last: ${logged.join(' ')}`]),
  ];
  return words.length === 0 ? null : words.join('. ');
}

export function inFull({ log, events, unread }: LastWords): string | null {
  const parts = [
    ...(events.length === 0 ? [] : [`said of it: ${events.join(' | ')}`]),
    ...(log.length === 0 ? [] : [`its last log lines: ${log.join(' | ')}`]),
    ...unread,
  ];
  return parts.length === 0 ? null : parts.join('. ');
}

/** What a person does next; null where that is plain, or theirs already. `error`: what turned the deployment back. */
function advice(error: string): string | null {
  const known: Partial<Record<ErrorName, string>> = {
    'Cutover.Unhealthy': 'Mend what kept it from being healthy, and push again under a new tag',
    'Cutover.AlarmRed': 'Look at the alarm at the time of its weights; mend the image, and push again',
    'Cutover.GateFailed':
      'Nothing is tried again by itself: mend the image, or the gate that said no, and push again',
    'Cutover.NotApproved': 'Push it again, and approve it in time',
  };
  return known[error as ErrorName] ?? null;
}

/** What it left behind, and what to do next; empty when there is nothing to say. */
export function aftermath({ lastWords, turned, plan }: Deployment): string {
  const short = lastWords === null ? null : inShort(lastWords);
  const next = plan.direction === 'back' ? null : advice(turned?.error ?? '');
  return [short, next].filter((each) => each !== null).join('. ');
}

function cutTo(text: string, most: number): string {
  const line = text.trim();
  return line.length <= most ? line : `${line.slice(0, most - 1)}…`;
}
