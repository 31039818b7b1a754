/**
 * Errors as the state machine sees them: `name` is what ASL's `ErrorEquals` matches and what the console shows, the
 * message says what happened, with which value, and what to do next.
 */
import * as z from 'zod';

export const errorNames = [
  /** The input of a step or a document that a person wrote does not fit; nothing was changed. */
  'Cutover.InvalidInput',
  /** The deployment does not own the service any more; nothing was changed. */
  'Cutover.FencedOut',
  /** AWS throttled, was down or did not answer in time: the same call may be made again. */
  'Cutover.AwsUnavailable',
  /** Another execution writes for this service for a moment; the same step may be tried again. */
  'Cutover.Busy',
  /** AWS understood and refused. */
  'Cutover.AwsRefused',
  /** The new generation did not become or did not stay healthy. */
  'Cutover.Unhealthy',
  /** An alarm of the service is red, missing or cannot be read. */
  'Cutover.AlarmRed',
  /** The new generation is worse than the old one, or than a metric allows, or could not be shown not to be in time; or its image may not be launched. */
  'Cutover.GateFailed',
  /** Nobody approved in time. */
  'Cutover.NotApproved',
  /** A person ended the deployment. */
  'Cutover.Aborted',
  /** A newer push takes the deployment's place. */
  'Cutover.Superseded',
  /** The deployment is live already: nothing may be taken back. */
  'Cutover.Committed',
  /** The weights of the rule are not those that we wrote last. They are left as they are. */
  'Cutover.ForeignWeights',
  /** Somebody else changed the counts of the old generation: there would be no way back. */
  'Cutover.ForeignCounts',
  /** The new generation grows to what the old one has; the machine tries the same step again. */
  'Cutover.Growing',
  /** A hook has not answered yet; the machine tries the same step again. */
  'Cutover.HookPending',
  /** What the image gate asks of an image is not there yet; the machine tries the same step again. */
  'Cutover.ImagePending',
  /** The listener rule holds something that Cutover does not know completely, so writing it back could lose it. */
  'Cutover.RuleNotOurs',
  /** A guard forbids an effect that cannot be undone. */
  'Cutover.Guarded',
  /** The wait was ended early to look again; the machine waits on. */
  'Cutover.Woken',
  /** The bake is not over; the machine waits on. */
  'Cutover.NotYet',
  /** The bake is over, but what the gates need is not there yet: the machine bakes on for a while. */
  'Cutover.Inconclusive',
  /** The bake is over, and a person must approve: the machine bakes on until then. */
  'Cutover.AwaitsApproval',
] as const;

export type ErrorName = (typeof errorNames)[number];

export class CutoverError extends Error {
  override readonly name: ErrorName;

  constructor(name: ErrorName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = name;
  }
}

/** What a Catch of the state machine knows of a failure. */
export const failureSchema = z.object({ Error: z.string(), Cause: z.string().optional() });
export type Failure = z.infer<typeof failureSchema>;

/**
 * The failure in words. A function that threw leaves its error as JSON (`errorMessage`), `SendTaskFailure` leaves our
 * own words, and errors of Step Functions itself may leave none.
 */
export function reasonOf(failure: Failure): string {
  const words = messageIn(failure.Cause);
  if (words === undefined) return `${failure.Error}, for which Step Functions gave no cause`;
  return failure.Error.startsWith('Cutover.') ? words : `${failure.Error}: ${words}`;
}

/** A reason goes into one DynamoDB item (400 KB) and, five times over, into one message of SNS (256 KB). */
const reasonLimit = 2_000;

export function shortened(reason: string): string {
  return reason.length <= reasonLimit ? reason : `${reason.slice(0, reasonLimit - 1)}…`;
}

function messageIn(cause: string | undefined): string | undefined {
  if (cause === undefined || cause === '') return undefined;
  if (!cause.startsWith('{')) return cause;
  try {
    const thrown: unknown = JSON.parse(cause);
    if (typeof thrown === 'object' && thrown !== null && 'errorMessage' in thrown)
      return String(thrown.errorMessage);
  } catch (unparsable) {
    if (!(unparsable instanceof SyntaxError)) throw unparsable;
  }
  return cause;
}
