/**
 * What the main thread and the balancer's worker say to each other. Rules travel in AWS's own shapes, already
 * validated and normalised; the worker compiles them.
 */
import type { Action, RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Address } from '../tasks/task.ts';

export interface ListenerSettings {
  readonly listenerArn: string;
  readonly loadBalancerArn: string;
  /** The listener's port in AWS's terms, as X-Forwarded-Port tells it; the local port is another. */
  readonly port: number;
  /** As X-Forwarded-Proto tells it. The local listener serves plain HTTP in either case. */
  readonly protocol: 'http' | 'https';
  readonly idleTimeoutMs: number;
  readonly dropInvalidHeaders: boolean;
}

export interface RoutingRule {
  /** `undefined` for the default rule, which comes last. */
  readonly priority: number | undefined;
  readonly conditions: readonly RuleCondition[];
  readonly actions: readonly Action[];
}

export interface RoutedTarget {
  /** `ip:port`, unique in its group. */
  readonly key: string;
  readonly address: Address;
  /** What routing asks: `initial` counts as unhealthy. */
  readonly state: 'healthy' | 'unhealthy' | 'draining';
}

export interface RoutedGroup {
  readonly targetGroupArn: string;
  readonly targets: readonly RoutedTarget[];
  readonly leastOutstandingRequests: boolean;
  /** Fewer healthy targets than this, and all registered ones get traffic (`unhealthy_state_routing`). */
  readonly minimumHealthy: { readonly count: number; readonly percentage: number };
}

export interface ProbeRequest {
  readonly address: Address;
  readonly path: string;
  /** Wall time: a probe is I/O with a real process. */
  readonly timeoutMs: number;
  /** `ip:port`, for the Host header. */
  readonly host: string;
}

export type ProbeResult =
  | { readonly kind: 'answered'; readonly status: number }
  | { readonly kind: 'timedOut' }
  | { readonly kind: 'failed' };

/** What was counted since the last report, for one load balancer or for one of its target groups. */
export interface Count {
  readonly loadBalancerArn: string;
  readonly targetGroupArn: string | undefined;
  readonly sums: Readonly<Record<string, number>>;
  /** Seconds from the request's leaving the balancer to the first byte of the answer's headers. */
  readonly responseTimes: readonly number[];
  /** How often each of these times came; absent: once. */
  readonly responseCounts?: readonly number[];
}

export interface CountReport {
  readonly counts: readonly Count[];
  /** Client connections open now, by load balancer. */
  readonly connections: Readonly<Record<string, number>>;
}

export type Command =
  | {
      readonly kind: 'listen';
      readonly settings: ListenerSettings;
      readonly localPort: number;
      readonly rules: readonly RoutingRule[];
    }
  | { readonly kind: 'unlisten'; readonly listenerArn: string }
  | { readonly kind: 'configure'; readonly settings: ListenerSettings }
  | { readonly kind: 'route'; readonly listenerArn: string; readonly rules: readonly RoutingRule[] }
  | { readonly kind: 'group'; readonly group: RoutedGroup }
  | { readonly kind: 'forget'; readonly targetGroupArn: string }
  | { readonly kind: 'probe'; readonly probe: ProbeRequest };

/** A command with the number that its answer carries. */
export interface Ask {
  readonly id: number;
  readonly command: Command;
}

export type Report =
  | { readonly kind: 'done'; readonly id: number; readonly result: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly error: string }
  | { readonly kind: 'counted'; readonly report: CountReport };
