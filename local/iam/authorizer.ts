/** Whether a principal may do what it asks, by the policies of its role. */
import type { Principal } from '../call.ts';
import type { Context } from './wildcard.ts';

export interface Request {
  readonly principal: Principal;
  /** `ecs:CreateService` */
  readonly action: string;
  /** The ARNs acted on, or `['*']` for actions that name none. Each must be allowed. */
  readonly resources: readonly string[];
  /** Condition keys and their values, such as `iam:PassedToService`, lower-cased keys. */
  readonly context?: Context;
}

export interface Authorizer {
  /** Throws `AwsError('AccessDeniedException', 'User: … is not authorized to perform: … on resource: … because …')`. Root may all. */
  authorize(request: Request): void;
}
