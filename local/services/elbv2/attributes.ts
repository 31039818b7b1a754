/** Attributes of load balancers, listeners and target groups: keys, defaults and what their values may be. */
import { invalid } from './validation.ts';

interface Attribute {
  readonly byDefault: string;
  readonly accepts: (value: string) => boolean;
}

type Attributes = Readonly<Record<string, Attribute>>;

const flag = (byDefault: 'true' | 'false'): Attribute => oneOf(byDefault, ['true', 'false']);
const text: Attribute = { byDefault: '', accepts: () => true };

function oneOf(byDefault: string, values: readonly string[]): Attribute {
  return { byDefault, accepts: (value) => values.includes(value) };
}

/** A whole number in the range, or one of the words. */
function number(byDefault: string, min: number, max: number, words: readonly string[] = []): Attribute {
  const within = (value: string) => /^\d+$/.test(value) && Number(value) >= min && Number(value) <= max;
  return { byDefault, accepts: (value) => words.includes(value) || within(value) };
}

export const loadBalancerAttributes: Attributes = {
  'access_logs.s3.enabled': flag('false'),
  'access_logs.s3.bucket': text,
  'access_logs.s3.prefix': text,
  'client_keep_alive.seconds': number('3600', 60, 604_800),
  'connection_logs.s3.enabled': flag('false'),
  'connection_logs.s3.bucket': text,
  'connection_logs.s3.prefix': text,
  'deletion_protection.enabled': flag('false'),
  'health_check_logs.s3.enabled': flag('false'),
  'health_check_logs.s3.bucket': text,
  'health_check_logs.s3.prefix': text,
  'idle_timeout.timeout_seconds': number('60', 1, 4000),
  'ipv6.deny_all_igw_traffic': flag('false'),
  'load_balancing.cross_zone.enabled': oneOf('true', ['true']),
  'routing.http.desync_mitigation_mode': oneOf('defensive', ['monitor', 'defensive', 'strictest']),
  'routing.http.drop_invalid_header_fields.enabled': flag('false'),
  'routing.http.preserve_host_header.enabled': flag('false'),
  'routing.http.x_amzn_tls_version_and_cipher_suite.enabled': flag('false'),
  'routing.http.xff_client_port.enabled': flag('false'),
  'routing.http.xff_header_processing.mode': oneOf('append', ['append', 'preserve', 'remove']),
  'routing.http2.enabled': flag('true'),
  'waf.fail_open.enabled': flag('false'),
  'zonal_shift.config.enabled': flag('false'),
};

export const listenerAttributes: Attributes = {
  'routing.http.response.server.enabled': flag('true'),
};

export const targetGroupAttributes: Attributes = {
  'deregistration_delay.timeout_seconds': number('300', 0, 3600),
  'load_balancing.algorithm.anomaly_mitigation': oneOf('off', ['on', 'off']),
  'load_balancing.algorithm.type': oneOf('round_robin', ['round_robin', 'least_outstanding_requests']),
  'load_balancing.cross_zone.enabled': oneOf('use_load_balancer_configuration', [
    'true',
    'false',
    'use_load_balancer_configuration',
  ]),
  'slow_start.duration_seconds': {
    byDefault: '0',
    accepts: (value) => value === '0' || number('', 30, 900).accepts(value),
  },
  // Stickiness to single targets is not modelled: refused rather than ignored.
  'stickiness.enabled': oneOf('false', ['false']),
  'stickiness.type': oneOf('lb_cookie', ['lb_cookie', 'app_cookie']),
  'stickiness.app_cookie.cookie_name': text,
  'stickiness.app_cookie.duration_seconds': number('86400', 1, 604_800),
  'stickiness.lb_cookie.duration_seconds': number('86400', 1, 604_800),
  'target_group_health.dns_failover.minimum_healthy_targets.count': number('1', 1, 1000, ['off']),
  'target_group_health.dns_failover.minimum_healthy_targets.percentage': number('off', 1, 100, ['off']),
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.count': number('1', 1, 1000),
  'target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage': number('off', 1, 100, [
    'off',
  ]),
};

export function defaultsOf(attributes: Attributes): Map<string, string> {
  return new Map(Object.entries(attributes).map(([key, attribute]) => [key, attribute.byDefault]));
}

interface Pair {
  Key?: string | undefined;
  Value?: string | undefined;
}

/** Sets all the given attributes, or none. */
export function modify(
  kind: string,
  known: Attributes,
  current: Map<string, string>,
  given: readonly Pair[],
): void {
  for (const { Key, Value } of given) {
    const attribute = known[Key ?? ''];
    if (attribute === undefined) throw invalid(`${kind} attribute key '${Key}' is not recognized`);
    if (!attribute.accepts(Value ?? ''))
      throw invalid(`${kind} attribute value '${Value}' is not valid for '${Key}'`);
  }
  for (const { Key, Value } of given) current.set(Key ?? '', Value ?? '');
}

export function shown(current: ReadonlyMap<string, string>): { Key: string; Value: string }[] {
  return [...current].map(([Key, Value]) => ({ Key, Value }));
}
