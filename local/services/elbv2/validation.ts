/** Refusals in AWS's words, shared by the operations. */
import { AwsError } from '../../call.ts';

export function invalid(message: string): AwsError {
  return new AwsError('ValidationError', message);
}

/** Refuses a number outside the range that the service's model sets for the member. */
export function inRange(member: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  const bound = value < min ? `greater than or equal to ${min}` : `less than or equal to ${max}`;
  throw invalid(
    `1 validation error detected: Value '${value}' at '${member}' failed to satisfy constraint: Member must have value ${bound}`,
  );
}

/** Names of load balancers and target groups. */
export function named(kind: 'Load balancer' | 'Target group', name: string): void {
  if (name.length > 32) throw invalid(`${kind} name '${name}' cannot be longer than '32' characters`);
  if (!/^[A-Za-z0-9-]+$/.test(name)) {
    throw invalid(
      `${kind} name '${name}' can only contain characters that are alphanumeric characters and hyphens(-)`,
    );
  }
  if (name.startsWith('-') || name.endsWith('-')) {
    throw invalid(`${kind} name '${name}' cannot begin or end with a hyphen(-)`);
  }
  if (name.startsWith('internal-')) throw invalid(`${kind} name '${name}' cannot begin with 'internal-'`);
}
