/** How the error of a called service appears in a state machine: `Lambda.TooManyRequestsException`. */
import { AwsError } from '../../../call.ts';
import { StateFailure } from '../failure.ts';

export interface CalledService {
  /** In error names: `Lambda`, `StepFunctions`. */
  readonly prefix: string;
  /** What an error that the service's model does not know is called, such as a refusal by IAM. */
  readonly base: string;
  /** In causes: `Service: Lambda`. */
  readonly title: string;
  readonly statuses: Readonly<Record<string, number>>;
}

/** Rethrows what is no `AwsError`: a fault of our own. */
export function serviceFailure(service: CalledService, failure: unknown, requestId: string): StateFailure {
  if (!(failure instanceof AwsError)) throw failure;
  const refused = failure.code === 'AccessDeniedException';
  // The SDK's classes all end so, the codes of Step Functions do not.
  const code = failure.code.endsWith('Exception') ? failure.code : `${failure.code}Exception`;
  const status = refused ? 403 : (service.statuses[failure.code] ?? failure.status);
  return new StateFailure(
    `${service.prefix}.${refused ? service.base : code}`,
    `${failure.message} (Service: ${service.title}, Status Code: ${status}, Request ID: ${requestId})`,
  );
}
