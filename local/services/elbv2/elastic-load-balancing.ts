/**
 * Elastic Load Balancing v2 with application load balancers: the control plane in this thread, the data plane in the
 * balancer's. Each listener is a real port on 127.0.0.1 that serves plain HTTP, whatever its protocol in AWS's terms,
 * unless a data plane is given.
 */
import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Balancer } from '../../balancer/balancer.ts';
import type { Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Address } from '../../tasks/task.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import type { DataPlane, DataPlaneListener } from './data-plane.ts';
import { Listeners, type NewListener } from './listeners.ts';
import { loadBalancerOperations, type SubnetPlace } from './load-balancers.ts';
import { LoadBalancerMetrics } from './metrics.ts';
import { quotaOperations } from './quotas.ts';
import { Resources } from './resources.ts';
import { ruleOperations } from './rules.ts';
import { sslPolicyOperations } from './ssl-policies.ts';
import { Tags } from './tags.ts';
import { targetGroupOperations } from './target-groups.ts';
import { TargetRegistrations } from './target-registrations.ts';
import type { Target, Targets } from './targets.ts';

/** How long the data plane goes on with the old rules. AWS promises nothing; seconds have been seen (argo-rollouts #3333). */
const defaultPropagationMs = 1000;

export interface ElasticLoadBalancingOptions {
  readonly clock: Clock;
  readonly metrics: MetricSink;
  /** Hears what nobody waits for, such as a data plane that died. */
  readonly onFailure: (failure: unknown) => void;
  /** From 0 up to 1: identifiers and the phases of health checks. */
  readonly random?: () => number;
  /** What carries the requests instead of the balancer and its real ports. */
  readonly dataPlane?: (listener: DataPlaneListener) => DataPlane;
  /**
   * On the clock, from an accepted change of rules (or a deregistration) to the data plane's hearing of it. Default: one
   * second; none with a data plane that is given, which is slow by itself.
   */
  readonly propagationMs?: number;
  /** The local port of a new listener; 0, the default, lets the system choose. */
  readonly listenerPort?: (listener: NewListener) => number;
  /** Where EC2 has a subnet, for the load balancer's VPC and zones. */
  readonly subnet?: (subnetId: string) => SubnetPlace | undefined;
}

export class ElasticLoadBalancing implements Targets {
  readonly operations;
  readonly #resources: Resources;
  readonly #registrations: TargetRegistrations;
  readonly #metrics: LoadBalancerMetrics;
  readonly #tags: Tags;
  readonly #dataPlane: DataPlane;
  readonly #onFailure: (failure: unknown) => void;
  #closed = false;

  constructor(options: ElasticLoadBalancingOptions) {
    const { clock, random = Math.random } = options;
    const propagationMs =
      options.propagationMs ?? (options.dataPlane === undefined ? defaultPropagationMs : 0);
    this.#onFailure = options.onFailure;
    const resources = new Resources(random);
    this.#resources = resources;
    const makeDataPlane = options.dataPlane ?? ((listener) => new Balancer(listener));
    const dataPlane = makeDataPlane({
      onCounts: (report) => this.#metrics.take(report),
      onFailure: options.onFailure,
    });
    this.#dataPlane = dataPlane;
    const registrations = new TargetRegistrations({
      clock,
      random,
      resources,
      propagationMs,
      probe: (probe) => dataPlane.probe(probe),
      publish: (group) => this.#unawaited(dataPlane.group(group)),
    });
    this.#registrations = registrations;
    this.#metrics = new LoadBalancerMetrics({
      clock,
      sink: options.metrics,
      resources,
      hostCounts: (targetGroupArn) => registrations.hostCounts(targetGroupArn),
    });
    const tags = new Tags(resources);
    this.#tags = tags;
    const listeners = new Listeners({
      resources,
      tags,
      dataPlane,
      propagate: async (change) => {
        if (propagationMs === 0) await change();
        else clock.after(propagationMs, () => (this.#closed ? undefined : this.#unawaited(change())));
      },
      onRulesChanged: () => registrations.refresh(),
      listenerPort: options.listenerPort ?? (() => 0),
    });
    this.operations = {
      ...loadBalancerOperations({
        clock,
        random,
        resources,
        tags,
        listeners,
        subnet: options.subnet ?? (() => undefined),
      }),
      ...listeners.operations,
      ...ruleOperations({ resources, tags, listeners }),
      ...targetGroupOperations({ resources, tags, registrations, forget: (arn) => dataPlane.forget(arn) }),
      ...tags.operations,
      ...quotaOperations,
      ...sslPolicyOperations,
    } satisfies Operations;
  }

  /** For policies that go by tags. */
  tagsOf(arn: string): Readonly<Record<string, string>> {
    return this.#tags.of(arn);
  }

  register(targetGroupArn: string, target: Target, address: Address): void {
    this.#registrations.register(targetGroupArn, target, address);
  }

  deregister(targetGroupArn: string, target: Target): Promise<void> {
    return this.#registrations.deregister(targetGroupArn, target);
  }

  health(targetGroupArn: string, target: Target): TargetHealth | undefined {
    return this.#registrations.health(targetGroupArn, target);
  }

  isAssociated(targetGroupArn: string): boolean {
    return this.#registrations.isAssociated(targetGroupArn);
  }

  exists(targetGroupArn: string): boolean {
    return this.#registrations.exists(targetGroupArn);
  }

  /** The port of a target group whose targets are instances; `undefined` when there is none such. */
  instancePort(targetGroupArn: string): number | undefined {
    const settings = this.#resources.targetGroups.get(targetGroupArn)?.settings;
    return settings?.TargetType === 'instance' ? settings.Port : undefined;
  }

  /** `http://127.0.0.1:PORT`, where the listener really listens. */
  endpointOf(listenerArn: string): string {
    return `http://127.0.0.1:${this.#resources.listener(listenerArn).localPort}`;
  }

  /** Requests that went to each target group since the start, by ARN. */
  requestsByTargetGroup(): ReadonlyMap<string, number> {
    return this.#metrics.requestsByTargetGroup;
  }

  /** Closes every listener and cuts every connection. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#metrics.close();
    this.#registrations.close();
    await this.#dataPlane.close();
  }

  #unawaited(work: Promise<void>): void {
    work.catch((failure: unknown) => {
      // What was under way when everything was closed was meant to end.
      if (!this.#closed) this.#onFailure(failure);
    });
  }
}
