/**
 * What becomes of like requests at a load balancer, as shares rather than one by one: by weight over the groups, evenly
 * over a group's targets. Stickiness is off, and who must sign in has done so.
 */
import type { Action } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { RoutedGroup } from '../balancer/protocol.ts';
import type { Asked, Matches } from '../balancer/rule-matching.ts';
import { routable } from '../balancer/target-selection.ts';
import type { Address } from '../tasks/task.ts';
import type { Condition } from './modelled-task.ts';

export type Fate =
  /** A target's answer: 200, 500 from one that is ready, 503 from one that is not. */
  | {
      readonly kind: 'answered';
      readonly targetGroupArn: string;
      readonly status: 200 | 500 | 503;
      readonly latencyMs: number;
    }
  /** Went to a target that refused the connection (502) or did not answer in time (504). */
  | { readonly kind: 'broken'; readonly targetGroupArn: string; readonly status: 502 | 504 }
  /** No target to choose: the weight is on a group without registered targets, or on none. A 503. */
  | { readonly kind: 'unrouted' }
  /** A fixed response or a redirect. */
  | { readonly kind: 'made'; readonly status: number; readonly redirect: boolean }
  /** Nothing listens. */
  | { readonly kind: 'unreachable' };

export interface Share {
  readonly fate: Fate;
  /** Of the requests, above 0 up to 1. */
  readonly share: number;
}

export interface AppliedRule {
  readonly matches: Matches;
  readonly actions: readonly Action[];
}

export interface Surroundings {
  /** In the order in which they are tried. */
  readonly rules: readonly AppliedRule[];
  readonly group: (targetGroupArn: string) => RoutedGroup | undefined;
  readonly conditionAt: (address: Address) => Condition;
  readonly idleTimeoutMs: number;
}

/** No application that was ready answered it. */
export function isLost(fate: Fate): boolean {
  switch (fate.kind) {
    case 'answered':
      return fate.status === 503;
    case 'made':
      return false;
    case 'broken':
    case 'unrouted':
    case 'unreachable':
      return true;
  }
}

/** The share of each group in the rule that the request meets, weights of zero included; none when it forwards to none. */
export function appliedWeights(question: Asked, rules: readonly AppliedRule[]): Map<string, number> {
  const action = answering(question, rules);
  const groups = action?.Type === 'forward' ? (action.ForwardConfig?.TargetGroups ?? []) : [];
  const total = groups.reduce((sum, group) => sum + (group.Weight ?? 0), 0);
  return new Map(
    groups.map(({ TargetGroupArn = '', Weight = 0 }) => [TargetGroupArn, total === 0 ? 0 : Weight / total]),
  );
}

/** Each fate once, in a stable order; the shares sum to 1. */
export function fatesOf(question: Asked, surroundings: Surroundings): Share[] {
  const { rules, group } = surroundings;
  const action = answering(question, rules);
  if (action !== undefined && action.Type !== 'forward') {
    const status =
      action.RedirectConfig?.StatusCode?.replace('HTTP_', '') ?? action.FixedResponseConfig?.StatusCode;
    return [
      { fate: { kind: 'made', status: Number(status), redirect: action.Type === 'redirect' }, share: 1 },
    ];
  }
  const weights = [...appliedWeights(question, rules)].filter(([, share]) => share > 0);
  if (weights.length === 0) return [{ fate: { kind: 'unrouted' }, share: 1 }];
  return merged(
    weights.flatMap(([targetGroupArn, share]) => {
      const found = group(targetGroupArn);
      const targets = found === undefined ? [] : routable(found.targets, found.minimumHealthy);
      if (targets.length === 0) return [{ fate: { kind: 'unrouted' } as const, share }];
      return targets.flatMap(({ address }) =>
        atTarget(targetGroupArn, surroundings.conditionAt(address), surroundings.idleTimeoutMs).map(
          (one) => ({
            fate: one.fate,
            share: (one.share * share) / targets.length,
          }),
        ),
      );
    }),
  );
}

function atTarget(targetGroupArn: string, condition: Condition, idleTimeoutMs: number): Share[] {
  if (condition.kind === 'refusing')
    return [{ fate: { kind: 'broken', targetGroupArn, status: 502 }, share: 1 }];
  const { ready, errorShare, latencyMs } = condition;
  // ELB guide, HTTP 504: the target did not respond before the idle timeout.
  if (latencyMs > idleTimeoutMs) return [{ fate: { kind: 'broken', targetGroupArn, status: 504 }, share: 1 }];
  const answered = (status: 200 | 500 | 503, share: number): Share => ({
    fate: { kind: 'answered', targetGroupArn, status, latencyMs },
    share,
  });
  if (!ready) return [answered(503, 1)];
  return [answered(200, 1 - errorShare), answered(500, errorShare)];
}

function answering(question: Asked, rules: readonly AppliedRule[]): Action | undefined {
  const answers = new Set(['forward', 'fixed-response', 'redirect']);
  return rules
    .find((rule) => rule.matches(question))
    ?.actions.find((action) => answers.has(action.Type ?? ''));
}

function merged(shares: readonly Share[]): Share[] {
  const byFate = new Map<string, Share>();
  for (const { fate, share } of shares) {
    if (share === 0) continue;
    const key = JSON.stringify(fate);
    byFate.set(key, { fate, share: (byFate.get(key)?.share ?? 0) + share });
  }
  return [...byFate.values()];
}
