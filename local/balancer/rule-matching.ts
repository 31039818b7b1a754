/** Whether a request meets a rule's conditions, as the Application Load Balancer decides it. */

import type { IncomingMessage } from 'node:http';
import { BlockList, isIPv6 } from 'node:net';
import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';

/** What conditions look at. */
export interface Asked {
  readonly method: string;
  /** Without the port. */
  readonly host: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  readonly sourceIp: string;
}

export type Matches = (asked: Asked) => boolean;

export function asked(request: IncomingMessage): Asked {
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  return {
    method: request.method ?? 'GET',
    host: (request.headers.host ?? '').replace(/:\d+$/, ''),
    path: mark === -1 ? url : url.slice(0, mark),
    query: new URLSearchParams(mark === -1 ? '' : url.slice(mark + 1)),
    headers: request.headersDistinct,
    sourceIp: (request.socket.remoteAddress ?? '').replace(/^::ffff:/, ''),
  };
}

/** `*` is any characters, `?` exactly one, a backslash takes the meaning from what follows. */
export function wildcard(pattern: string, flags: '' | 'i'): RegExp {
  const source = pattern.replace(/\\([*?\\])|[\\^$.*+?()[\]{}|]/g, (found, literal?: string) => {
    if (literal !== undefined) return `\\${literal}`;
    if (found === '*') return '.*';
    if (found === '?') return '.';
    return `\\${found}`;
  });
  return new RegExp(`^${source}$`, `s${flags}`);
}

/** All conditions must be met; of a condition's values, any. A rule without conditions (the default) meets all. */
export function compile(conditions: readonly RuleCondition[]): Matches {
  const all = conditions.map(compileOne);
  return (request) => all.every((matches) => matches(request));
}

function compileOne(condition: RuleCondition): Matches {
  switch (condition.Field) {
    case 'path-pattern': {
      const path = patterns(condition.PathPatternConfig, '');
      return (request) => path(request.path);
    }
    case 'host-header': {
      const host = patterns(condition.HostHeaderConfig, 'i');
      return (request) => host(request.host);
    }
    case 'http-header': {
      const name = (condition.HttpHeaderConfig?.HttpHeaderName ?? '').toLowerCase();
      const value = patterns(condition.HttpHeaderConfig, 'i');
      return (request) => request.headers[name]?.some(value) ?? false;
    }
    case 'http-request-method': {
      const methods = new Set(condition.HttpRequestMethodConfig?.Values);
      return (request) => methods.has(request.method);
    }
    case 'query-string':
      return queryString(condition);
    case 'source-ip':
      return sourceIp(condition);
    case undefined:
    default:
      throw new Error(`Unknown condition field ${condition.Field}`);
  }
}

function patterns(
  config: { Values?: string[] | undefined; RegexValues?: string[] | undefined } | undefined,
  flags: '' | 'i',
): (value: string) => boolean {
  const any = [
    ...(config?.Values ?? []).map((pattern) => wildcard(pattern, flags)),
    ...(config?.RegexValues ?? []).map((source) => new RegExp(source, flags)),
  ];
  return (value) => any.some((pattern) => pattern.test(value));
}

function queryString(condition: RuleCondition): Matches {
  const pairs = (condition.QueryStringConfig?.Values ?? []).map((pair) => ({
    key: pair.Key === undefined ? undefined : wildcard(pair.Key, 'i'),
    value: wildcard(pair.Value ?? '', 'i'),
  }));
  return (request) =>
    [...request.query].some(([key, value]) =>
      pairs.some((pair) => (pair.key?.test(key) ?? true) && pair.value.test(value)),
    );
}

function sourceIp(condition: RuleCondition): Matches {
  const list = new BlockList();
  for (const cidr of condition.SourceIpConfig?.Values ?? []) {
    const [network, bits] = cidr.split('/') as [string, string];
    list.addSubnet(network, Number(bits), isIPv6(network) ? 'ipv6' : 'ipv4');
  }
  return (request) => list.check(request.sourceIp, isIPv6(request.sourceIp) ? 'ipv6' : 'ipv4');
}
