/** What carries the requests of all listeners, as the control plane sees it. */
import type {
  CountReport,
  ListenerSettings,
  ProbeRequest,
  ProbeResult,
  RoutedGroup,
  RoutingRule,
} from '../../balancer/protocol.ts';

/** Each change is acknowledged once the data plane has heard of it. */
export interface DataPlane {
  /** Opens the listener and answers with the port where it can be reached from this machine. */
  listen(settings: ListenerSettings, localPort: number, rules: readonly RoutingRule[]): Promise<number>;
  unlisten(listenerArn: string): Promise<void>;
  configure(settings: ListenerSettings): Promise<void>;
  /** Replaces all rules of the listener. */
  route(listenerArn: string, rules: readonly RoutingRule[]): Promise<void>;
  /** Replaces all targets of the group, with the health that was found. */
  group(group: RoutedGroup): Promise<void>;
  forget(targetGroupArn: string): Promise<void>;
  /** One health check. */
  probe(probe: ProbeRequest): Promise<ProbeResult>;
  close(): Promise<void>;
}

/** Who listens to the data plane. */
export interface DataPlaneListener {
  readonly onCounts: (report: CountReport) => void;
  readonly onFailure: (failure: unknown) => void;
}
