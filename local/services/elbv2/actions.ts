/** A rule's actions: what AWS accepts, and the form in which it gives them back. */
import type { Action, TargetGroupTuple } from '@aws-sdk/client-elastic-load-balancing-v2';
import { AwsError } from '../../call.ts';
import { quotas } from './quotas.ts';
import { groupsIn, type LoadBalancerRecord, type Resources, type RuleRecord } from './resources.ts';
import { inRange, invalid } from './validation.ts';

const authenticating: ReadonlySet<string> = new Set([
  'authenticate-cognito',
  'authenticate-oidc',
  'jwt-validation',
]);
const answering: ReadonlySet<string> = new Set(['forward', 'fixed-response', 'redirect']);

/** Checks the actions of a rule of the load balancer and gives them the form that Describe answers with. */
export function acceptActions(
  actions: readonly Action[],
  loadBalancer: LoadBalancerRecord,
  resources: Resources,
  replaced?: RuleRecord,
): Action[] {
  if (actions.length === 0) throw invalid('An action must be specified');
  for (const action of actions) {
    const type = action.Type ?? '';
    if (!authenticating.has(type) && !answering.has(type)) {
      throw invalid(
        `1 validation error detected: Value '${type}' at 'actions.1.member.type' failed to satisfy constraint: Member must satisfy enum value set: [forward, authenticate-oidc, authenticate-cognito, redirect, fixed-response, jwt-validation]`,
      );
    }
    inRange('actions.1.member.order', action.Order, 1, 50_000);
  }
  const last = actions.filter((action) => answering.has(action.Type ?? ''));
  if (last.length !== 1) {
    throw new AwsError(
      'InvalidLoadBalancerActionException',
      "You must specify exactly one action of type 'forward', 'redirect' or 'fixed-response', and it must be the last",
    );
  }
  const ordered = [...actions].sort((one, other) => (one.Order ?? 0) - (other.Order ?? 0));
  const accepted = ordered.map((action) => accept(action, resources));
  associate(accepted, loadBalancer, resources, replaced);
  return accepted;
}

function accept(action: Action, resources: Resources): Action {
  switch (action.Type) {
    case 'forward':
      return acceptForward(action, resources);
    case 'fixed-response':
      if (!/^[245]\d\d$/.test(action.FixedResponseConfig?.StatusCode ?? '')) {
        throw invalid('The status code of a fixed-response action must be 2XX, 4XX or 5XX');
      }
      return { ...action };
    case 'redirect':
      if (!/^HTTP_30[12]$/.test(action.RedirectConfig?.StatusCode ?? '')) {
        throw invalid("The status code of a redirect action must be 'HTTP_301' or 'HTTP_302'");
      }
      return { ...action, RedirectConfig: redirectInFull(action.RedirectConfig) };
    case 'authenticate-cognito':
    case 'authenticate-oidc':
    case 'jwt-validation':
    case undefined:
      return { ...action };
  }
}

/** What is left out of a redirect keeps what the request had, and is shown so. */
function redirectInFull(redirect: Action['RedirectConfig']): Action['RedirectConfig'] {
  return {
    StatusCode: redirect?.StatusCode,
    Protocol: redirect?.Protocol ?? '#{protocol}',
    Host: redirect?.Host ?? '#{host}',
    Port: redirect?.Port ?? '#{port}',
    Path: redirect?.Path ?? '/#{path}',
    Query: redirect?.Query ?? '#{query}',
  };
}

/** A single group comes back both as `TargetGroupArn` and as a `ForwardConfig` of one, whichever was given. */
function acceptForward(action: Action, resources: Resources): Action {
  const tuples = tuplesOf(action);
  for (const tuple of tuples) resources.targetGroup(tuple.TargetGroupArn);
  const stickiness = action.ForwardConfig?.TargetGroupStickinessConfig;
  if (stickiness?.Enabled === true) {
    if (stickiness.DurationSeconds === undefined) {
      throw invalid('You must specify a duration when target group stickiness is enabled');
    }
    inRange('targetGroupStickinessConfig.durationSeconds', stickiness.DurationSeconds, 1, 604_800);
  }
  const only = tuples.length === 1 ? tuples[0]?.TargetGroupArn : undefined;
  return {
    Type: 'forward',
    ...(only === undefined ? {} : { TargetGroupArn: only }),
    ...(action.Order === undefined ? {} : { Order: action.Order }),
    ForwardConfig: {
      TargetGroups: tuples,
      TargetGroupStickinessConfig: {
        Enabled: stickiness?.Enabled ?? false,
        ...(stickiness?.DurationSeconds === undefined ? {} : { DurationSeconds: stickiness.DurationSeconds }),
      },
    },
  };
}

function tuplesOf(action: Action): TargetGroupTuple[] {
  const given = action.ForwardConfig?.TargetGroups;
  if (given === undefined || given.length === 0) {
    if (action.TargetGroupArn === undefined) {
      throw invalid(
        "A target group ARN or a 'ForwardConfig' must be specified for an action of type 'forward'",
      );
    }
    return [{ TargetGroupArn: action.TargetGroupArn, Weight: 1 }];
  }
  if (
    action.TargetGroupArn !== undefined &&
    (given.length > 1 || given[0]?.TargetGroupArn !== action.TargetGroupArn)
  ) {
    throw invalid(
      "The target group in 'ForwardConfig' must be the same as 'TargetGroupArn' when both are specified",
    );
  }
  if (given.length > quotas.targetGroupsPerAction) {
    throw new AwsError(
      'TooManyTargetGroupsException',
      `The maximum number of target groups per action is '${quotas.targetGroupsPerAction}'`,
    );
  }
  if (new Set(given.map((tuple) => tuple.TargetGroupArn)).size < given.length) {
    throw invalid('A target group can be specified only once in an action');
  }
  return given.map((tuple) => {
    if (tuple.Weight === undefined && given.length > 1) {
      throw invalid('You must specify a weight for each target group when there is more than one');
    }
    inRange('weight', tuple.Weight, 0, 999);
    return { TargetGroupArn: tuple.TargetGroupArn, Weight: tuple.Weight ?? 1 };
  });
}

/** A group serves one load balancer, and a load balancer has a limited number of groups. */
function associate(
  actions: readonly Action[],
  loadBalancer: LoadBalancerRecord,
  resources: Resources,
  replaced: RuleRecord | undefined,
): void {
  const wanted = [...groupsIn(actions)];
  const elsewhere = wanted.filter((group) => {
    const holder = resources.loadBalancerOf(group);
    return holder !== undefined && holder !== loadBalancer;
  });
  if (elsewhere.length > 0) {
    throw new AwsError(
      'TargetGroupAssociationLimitException',
      `The following target groups cannot be associated with more than one load balancer: ${elsewhere.join(', ')}`,
    );
  }
  const others = resources.rulesOfLoadBalancer(loadBalancer).filter((rule) => rule !== replaced);
  const unique = new Set([...others.flatMap((rule) => [...groupsIn(rule.actions)]), ...wanted]);
  if (unique.size > quotas.targetGroupsPerLoadBalancer) {
    throw new AwsError(
      'TooManyUniqueTargetGroupsPerLoadBalancerException',
      `You have reached the maximum number of unique target groups per load balancer: ${quotas.targetGroupsPerLoadBalancer}`,
    );
  }
}
