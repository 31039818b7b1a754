/** Whether the caller may do what an operation does. */
import type { Call } from '../../../call.ts';
import type { Authorizer } from '../../../iam/authorizer.ts';

export class Access {
  readonly #authorizer: Authorizer;

  constructor(authorizer: Authorizer) {
    this.#authorizer = authorizer;
  }

  /** `action` as the API names it: `StartExecution`. */
  require({ principal }: Call, action: string, resource: string): void {
    this.#authorizer.authorize({ principal, action: `states:${action}`, resources: [resource] });
  }

  /** Whoever gives a machine a role must be allowed to pass it on. */
  requirePassRole({ principal }: Call, roleArn: string): void {
    this.#authorizer.authorize({
      principal,
      action: 'iam:PassRole',
      resources: [roleArn],
      context: { 'iam:passedtoservice': 'states.amazonaws.com' },
    });
  }
}
