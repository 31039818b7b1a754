/** A target's error as EventBridge sees it: its code for the dead-letter queue, and whether trying again can help. */
import { AwsError } from '../../call.ts';

export interface DeliveryError {
  readonly code:
    | 'THROTTLING'
    | 'NO_PERMISSIONS'
    | 'NO_RESOURCE'
    | 'INVALID_JSON'
    | 'ERROR_FROM_TARGET'
    | 'INTERNAL_ERROR';
  readonly retryable: boolean;
}

/** Thrown for input that a target cannot take. */
export class InvalidInput extends Error {
  override readonly name = 'InvalidInput';
}

/**
 * "For errors that result from missing permissions to a target, or a target resource that no longer exists", there are no
 * retries; nor for input that can never be taken.
 */
export function deliveryErrorOf(error: Error): DeliveryError {
  if (error instanceof InvalidInput) return { code: 'INVALID_JSON', retryable: false };
  if (!(error instanceof AwsError)) return { code: 'INTERNAL_ERROR', retryable: true };
  if (/Throttl|TooManyRequests|LimitExceeded|Rate/i.test(error.code))
    return { code: 'THROTTLING', retryable: true };
  if (/AccessDenied|NotAuthorized|Authorization/i.test(error.code))
    return { code: 'NO_PERMISSIONS', retryable: false };
  if (/NotFound|DoesNotExist|NonExistent/i.test(error.code)) return { code: 'NO_RESOURCE', retryable: false };
  return { code: 'ERROR_FROM_TARGET', retryable: error.status >= 500 };
}
