/** Errors of AWS become errors of ours here, once. */
import { CutoverError } from '../core/errors.ts';

/** Codes that mean "the same call may be made again". ELB throttles with HTTP 400, so the code decides, not the status. */
const passing = new Set([
  'Throttling',
  'ThrottlingException',
  'ThrottledException',
  'TooManyRequestsException',
  'RequestThrottled',
  'RequestThrottledException',
  'RequestLimitExceeded',
  'PriorRequestNotComplete',
  // https://docs.aws.amazon.com/autoscaling/ec2/APIReference/CommonErrors.html and each operation's own.
  'ResourceContentionFault',
  'ScalingActivityInProgressFault',
  'SlowDown',
  'ProvisionedThroughputExceededException',
  'ServerException',
  'InternalServerError',
  'InternalFailure',
  'InternalServiceError',
  'ServiceUnavailable',
  'TimeoutError',
  'RequestTimeout',
  'RequestTimeoutException',
  'AbortError',
]);

interface SdkError extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number };
  readonly code?: string;
}

/** The code of an error that AWS answered with; the class name of any other. */
export function codeOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.name : typeof thrown;
}

/**
 * `doing` completes the sentence "AWS … while …", such as `creating the service web-g0002`. A fault of our own is no
 * error of AWS and stays what it is.
 */
export function translate(thrown: unknown, doing: string): Error {
  if (thrown instanceof CutoverError) return thrown;
  const error: SdkError = thrown instanceof Error ? thrown : new Error(String(thrown));
  const status = error.$metadata?.httpStatusCode;
  // What the SDK or the network threw without a status: nothing came back.
  const unanswered = status === undefined && (error.$metadata !== undefined || error.code !== undefined);
  if (status === undefined && !unanswered && !passing.has(error.name)) return error;
  if (passing.has(error.name) || unanswered || status === 429 || (status ?? 0) >= 500) {
    return new CutoverError(
      'Cutover.AwsUnavailable',
      `AWS did not answer properly while ${doing} (${error.name}: ${error.message})`,
      {
        cause: thrown,
      },
    );
  }
  return new CutoverError(
    'Cutover.AwsRefused',
    `AWS refused while ${doing}: ${error.name}: ${error.message}`,
    { cause: thrown },
  );
}

/** Runs one call; what it throws is translated. */
export async function calling<T>(doing: string, call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (thrown) {
    throw translate(thrown, doing);
  }
}
