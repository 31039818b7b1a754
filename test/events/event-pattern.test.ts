import { describe, expect, test } from 'vitest';
import { compileEventPattern, parseEventPattern } from '../../local/services/events/event-pattern.ts';

/** The event of AWS's own examples, somewhat extended. */
const event = {
  version: '0',
  time: '2017-10-02T18:43:48Z',
  source: 'aws.ec2',
  resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-02ebd4584a2ebd341'],
  detail: {
    state: 'running',
    'c-count': 5,
    'd-count': 8,
    'x-limit': 301.8,
    sourceIPAddress: '10.0.0.21',
    address6: '2001:db8::17',
    FileName: 'Sample.PNG',
    path: 'dir/a*b/file.json',
    nothing: null,
    empty: '',
    none: [],
    flag: true,
    nested: { deep: { value: 'x' } },
    items: [
      { name: 'red', size: 1 },
      { name: 'blue', size: 2 },
    ],
    tags: ['v1', 'latest'],
  },
};

const detail = (pattern: unknown) => ({ detail: pattern });

describe('an event matches', () => {
  test.each<[string, unknown, boolean]>([
    ['a value', { source: ['aws.ec2'] }, true],
    ['one of several values', { source: ['aws.ecs', 'aws.ec2'] }, true],
    ['no other value', { source: ['aws.ecs'] }, false],
    ['all fields', { source: ['aws.ec2'], detail: { state: ['stopped'] } }, false],
    ['an element of an array', detail({ tags: ['latest'] }), true],
    ['no missing field', detail({ gone: ['x'] }), false],
    ['null', detail({ nothing: [null] }), true],
    ['an empty string', detail({ empty: [''] }), true],
    ['a boolean', detail({ flag: [true] }), true],
    ['no text for a number', detail({ 'c-count': ['5'] }), false],
    ['a number however it is written', detail({ 'x-limit': [3.018e2] }), true],
    ['prefix', { time: [{ prefix: '2017-10-02' }] }, true],
    ['prefix in any case', detail({ FileName: [{ prefix: { 'equals-ignore-case': 'sAMPLE' } }] }), true],
    ['suffix', detail({ FileName: [{ suffix: '.PNG' }] }), true],
    ['suffix in the wrong case', detail({ FileName: [{ suffix: '.png' }] }), false],
    ['suffix in any case', detail({ FileName: [{ suffix: { 'equals-ignore-case': '.png' } }] }), true],
    ['equals-ignore-case', detail({ FileName: [{ 'equals-ignore-case': 'sample.png' }] }), true],
    ['anything-but a text', detail({ state: [{ 'anything-but': 'initializing' }] }), true],
    ['anything-but itself', detail({ state: [{ 'anything-but': 'running' }] }), false],
    ['anything-but a list', detail({ state: [{ 'anything-but': ['stopped', 'running'] }] }), false],
    ['anything-but numbers', detail({ 'c-count': [{ 'anything-but': [100, 200] }] }), true],
    ['anything-but a prefix', detail({ state: [{ 'anything-but': { prefix: 'run' } }] }), false],
    ['anything-but prefixes', detail({ state: [{ 'anything-but': { prefix: ['stop', 'init'] } }] }), true],
    ['anything-but a suffix', detail({ FileName: [{ 'anything-but': { suffix: '.txt' } }] }), true],
    [
      'anything-but a case-blind text',
      detail({ state: [{ 'anything-but': { 'equals-ignore-case': 'RUNNING' } }] }),
      false,
    ],
    ['anything-but a wildcard', detail({ path: [{ 'anything-but': { wildcard: '*/lib/*' } }] }), true],
    ['anything-but nothing', detail({ gone: [{ 'anything-but': 'x' }] }), false],
    ['numeric range', detail({ 'c-count': [{ numeric: ['>', 0, '<=', 5] }] }), true],
    ['numeric below', detail({ 'd-count': [{ numeric: ['<', 8] }] }), false],
    ['numeric equal', detail({ 'x-limit': [{ numeric: ['=', 3.018e2] }] }), true],
    ['cidr', detail({ sourceIPAddress: [{ cidr: '10.0.0.0/24' }] }), true],
    ['another cidr', detail({ sourceIPAddress: [{ cidr: '10.0.1.0/24' }] }), false],
    ['cidr of version 6', detail({ address6: [{ cidr: '2001:db8::/32' }] }), true],
    ['exists', detail({ state: [{ exists: true }] }), true],
    ['exists not', detail({ gone: [{ exists: false }] }), true],
    ['exists not, though it does', detail({ state: [{ exists: false }] }), false],
    ['exists not, for it is no leaf', detail({ nested: [{ exists: false }] }), true],
    ['exists not, for it is an empty array', detail({ none: [{ exists: false }] }), true],
    ['exists not, within what is missing', detail({ gone: { inner: [{ exists: false }] } }), true],
    ['a value or its absence', detail({ gone: ['x', { exists: false }] }), true],
    ['wildcard', detail({ path: [{ wildcard: 'dir/*.json' }] }), true],
    ['wildcard with a star of its own', detail({ path: [{ wildcard: 'dir/a\\*b/*' }] }), true],
    ['wildcard that does not fit', detail({ path: [{ wildcard: 'dir/*.png' }] }), false],
    ['a nested value', detail({ nested: { deep: { value: ['x'] } } }), true],
    ['fields of one object in an array', detail({ items: { name: ['blue'], size: [2] } }), true],
    ['not fields of two objects', detail({ items: { name: ['blue'], size: [1] } }), false],
    ['$or, first', detail({ $or: [{ 'c-count': [5] }, { 'd-count': [1] }] }), true],
    ['$or, last', detail({ $or: [{ 'c-count': [1] }, { 'd-count': [{ numeric: ['<', 10] }] }] }), true],
    ['$or, none', detail({ $or: [{ 'c-count': [1] }, { 'd-count': [1] }] }), false],
    ['$or beside a field', { source: ['aws.ecs'], $or: [{ version: ['0'] }, { version: ['1'] }] }, false],
  ])('%s', (_, pattern, expected) => {
    expect(compileEventPattern(pattern)(event)).toBe(expected);
  });
});

test.each<[string, string]>([
  ['{"source":', 'Invalid JSON'],
  ['[]', 'Filter is not an object'],
  ['{}', 'Empty objects are not allowed'],
  ['{"detail":{"lenderId":"LenderA"}}', '"lenderId" must be an object or an array'],
  ['{"source":[]}', 'Empty arrays are not allowed'],
  ['{"source":[{"starts-with":"x"}]}', 'Unrecognized match type starts-with'],
  ['{"source":[{"prefix":"x","suffix":"y"}]}', 'Only one key allowed in match expression'],
  ['{"source":[{"prefix":5}]}', 'prefix match pattern must be a non-empty string'],
  ['{"source":[{"exists":"yes"}]}', 'exists match pattern must be either true or false.'],
  ['{"source":[{"numeric":["~",5]}]}', 'Unrecognized numeric range operator: ~'],
  ['{"source":[{"numeric":[">",5,"<",5]}]}', 'Bottom must be less than top'],
  ['{"source":[{"wildcard":"a**b"}]}', 'Consecutive wildcard characters at pos 1'],
  ['{"source":[{"cidr":"10.0.0.0/64"}]}', "Malformed CIDR, one '/' required: 10.0.0.0/64"],
  ['{"source":[{"anything-but":{"numeric":["=",1]}}]}', 'Unsupported anything-but pattern: numeric'],
])('refuses %s: %s', (pattern, reason) => {
  expect(() => parseEventPattern(pattern)).toThrow(reason);
});
