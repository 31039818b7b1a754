import type { RuleCondition } from '@aws-sdk/client-elastic-load-balancing-v2';
import { expect, test } from 'vitest';
import { type Asked, compile, wildcard } from '../../local/balancer/rule-matching.ts';
import { byWeight, routable } from '../../local/balancer/target-selection.ts';

const request: Asked = {
  method: 'GET',
  host: 'shop.example.com',
  path: '/img/a.png',
  query: new URLSearchParams('version=v1&debug'),
  headers: { 'x-slot': ['green'], accept: ['text/html', 'image/png'] },
  sourceIp: '10.1.2.3',
};

const host = (...Values: string[]): RuleCondition => ({ Field: 'host-header', HostHeaderConfig: { Values } });
const path = (...Values: string[]): RuleCondition => ({
  Field: 'path-pattern',
  PathPatternConfig: { Values },
});
const header = (HttpHeaderName: string, ...Values: string[]): RuleCondition => ({
  Field: 'http-header',
  HttpHeaderConfig: { HttpHeaderName, Values },
});
const method = (...Values: string[]): RuleCondition => ({
  Field: 'http-request-method',
  HttpRequestMethodConfig: { Values },
});
const query = (Key: string | undefined, Value: string): RuleCondition => ({
  Field: 'query-string',
  QueryStringConfig: { Values: [Key === undefined ? { Value } : { Key, Value }] },
});
const source = (...Values: string[]): RuleCondition => ({ Field: 'source-ip', SourceIpConfig: { Values } });

test.each<[string, RuleCondition[], boolean]>([
  ['no condition', [], true],
  ['host', [host('shop.example.com')], true],
  ['host in other letters', [host('SHOP.*.com')], true],
  ['other host', [host('example.com')], false],
  ['path', [path('/img/*')], true],
  ['path in other letters', [path('/IMG/*')], false],
  ['path with one free character', [path('/img/?.png')], true],
  ['path without wildcard is the whole path', [path('/img')], false],
  ['any value', [path('/css/*', '/img/*')], true],
  [
    'path by regular expression',
    [{ Field: 'path-pattern', PathPatternConfig: { RegexValues: ['^/img/[ab]'] } }],
    true,
  ],
  ['header', [header('X-Slot', 'GREEN')], true],
  ['other value of the header', [header('x-slot', 'blue')], false],
  ['second value of the header', [header('Accept', 'image/*')], true],
  ['absent header', [header('x-none', '*')], false],
  ['method', [method('POST', 'GET')], true],
  ['other method', [method('POST')], false],
  ['query', [query('version', 'v?')], true],
  ['query value under any key', [query(undefined, 'V1')], true],
  ['query value under another key', [query('debug', 'v1')], false],
  ['source', [source('10.0.0.0/8')], true],
  ['other source', [source('192.168.0.0/16', '2001:db8::/32')], false],
  ['all conditions', [host('shop.*'), path('/img/*'), method('GET')], true],
  ['all but one', [host('shop.*'), path('/img/*'), method('PUT')], false],
])('%s', (_name, conditions, expected) => {
  expect(compile(conditions)(request)).toBe(expected);
});

test('a wildcard takes nothing else for special, and a backslash takes the special away', () => {
  expect(wildcard('/a.b+c', '').test('/a.b+c')).toBe(true);
  expect(wildcard('/a.b', '').test('/axb')).toBe(false);
  expect(wildcard('/a\\*', '').test('/a*')).toBe(true);
  expect(wildcard('/a\\*', '').test('/ab')).toBe(false);
});

test.each<[Record<string, number>, number, string | undefined]>([
  [{ blue: 90, green: 10 }, 0, 'blue'],
  [{ blue: 90, green: 10 }, 0.899, 'blue'],
  [{ blue: 90, green: 10 }, 0.9, 'green'],
  [{ blue: 0, green: 1 }, 0, 'green'],
  [{ blue: 1, green: 0 }, 0.9999, 'blue'],
  [{ blue: 0, green: 0 }, 0.5, undefined],
  [{}, 0.5, undefined],
])('weights %o at %d give %s', (weights, random, expected) => {
  const groups = Object.entries(weights).map(([TargetGroupArn, Weight]) => ({ TargetGroupArn, Weight }));
  expect(byWeight(groups, random)).toBe(expected);
});

test.each<[string, string, { count: number; percentage: number }, string]>([
  ['the healthy ones', 'hhu', { count: 1, percentage: 0 }, 'hh'],
  ['all when none is healthy', 'uu', { count: 1, percentage: 0 }, 'uu'],
  ['never draining ones', 'hd', { count: 1, percentage: 0 }, 'h'],
  ['the unhealthy one rather than the draining one', 'ud', { count: 1, percentage: 0 }, 'u'],
  ['none of a group that drains', 'dd', { count: 1, percentage: 0 }, ''],
  ['all when fewer are healthy than asked', 'huu', { count: 2, percentage: 0 }, 'huu'],
  ['all when a smaller share is healthy than asked', 'huuu', { count: 1, percentage: 50 }, 'huuu'],
  ['the healthy ones at the share asked', 'hhuu', { count: 1, percentage: 50 }, 'hh'],
])('routes to %s', (_name, states, minimum, expected) => {
  const words = { h: 'healthy', u: 'unhealthy', d: 'draining' } as const;
  const targets = states.split('').map((letter) => ({ state: words[letter as keyof typeof words] }));
  const letters = routable(targets, minimum).map((target) => target.state[0]);
  expect(letters.join('')).toBe(expected);
});
