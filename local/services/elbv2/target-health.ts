/** How the answers to health checks make a target healthy or unhealthy, and how AWS words it. */
import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { ProbeResult } from '../../balancer/protocol.ts';

export interface Thresholds {
  readonly healthy: number;
  readonly unhealthy: number;
  /** `200`, `200,204` or `200-299`. */
  readonly matcher: string;
}

/** What AWS says of a target whatever its checks say. */
export const notRegistered: TargetHealth = {
  State: 'unused',
  Reason: 'Target.NotRegistered',
  Description: 'Target is not registered to the target group',
};
export const notInUse: TargetHealth = {
  State: 'unused',
  Reason: 'Target.NotInUse',
  Description: 'Target group is not configured to receive traffic from the load balancer',
};
export const draining: TargetHealth = {
  State: 'draining',
  Reason: 'Target.DeregistrationInProgress',
  Description: 'Target deregistration is in progress',
};

/**
 * The health of one registered target of a group in use. A new target is healthy after its first passed check; later
 * it takes the thresholds' number of checks in a row either way.
 */
export class CheckedHealth {
  #state: 'initial' | 'healthy' | 'unhealthy' = 'initial';
  #passed = 0;
  #failed = 0;
  #lastFailure: ProbeResult | undefined;

  get state(): 'initial' | 'healthy' | 'unhealthy' {
    return this.#state;
  }

  /** Takes one check's result; true when the state changed. */
  observe(result: ProbeResult, thresholds: Thresholds): boolean {
    const before = this.#state;
    if (result.kind === 'answered' && matches(thresholds.matcher, result.status)) {
      this.#passed += 1;
      this.#failed = 0;
      if (before === 'initial' || this.#passed >= thresholds.healthy) this.#state = 'healthy';
    } else {
      this.#failed += 1;
      this.#passed = 0;
      this.#lastFailure = result;
      if (this.#failed >= thresholds.unhealthy) this.#state = 'unhealthy';
    }
    return this.#state !== before;
  }

  describe(): TargetHealth {
    if (this.#state === 'healthy') return { State: 'healthy' };
    if (this.#state === 'unhealthy') return { State: 'unhealthy', ...reasonOf(this.#lastFailure) };
    if (this.#failed === 0) {
      return {
        State: 'initial',
        Reason: 'Elb.RegistrationInProgress',
        Description: 'Target registration is in progress',
      };
    }
    return {
      State: 'initial',
      Reason: 'Elb.InitialHealthChecking',
      Description: 'Initial health checks in progress',
    };
  }
}

function reasonOf(failure: ProbeResult | undefined): Pick<TargetHealth, 'Reason' | 'Description'> {
  if (failure?.kind === 'answered') {
    return {
      Reason: 'Target.ResponseCodeMismatch',
      Description: `Health checks failed with these codes: [${failure.status}]`,
    };
  }
  if (failure?.kind === 'timedOut') return { Reason: 'Target.Timeout', Description: 'Request timed out' };
  return { Reason: 'Target.FailedHealthChecks', Description: 'Health checks failed' };
}

/** Whether the matcher has the status. */
export function matches(matcher: string, status: number): boolean {
  return matcher.split(',').some((part) => {
    const [from, to] = part.split('-').map(Number);
    return from !== undefined && status >= from && status <= (to ?? from);
  });
}
