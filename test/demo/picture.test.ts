import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { waiting } from '../../functions/core/deployment/course.ts';
import { needingHand } from '../../functions/core/deployment/hold.ts';
import type { Failure } from '../../functions/core/errors.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import { latch } from '../../functions/core/signals/latch.ts';
import { draw, type View } from '../../local/demo/picture.ts';
import type { Result } from '../../local/demo/scenario.ts';
import { baking, because, liveItem, start, web } from '../core/examples.ts';

const canary = baking(1);
const dayMs = 86_400_000;
const foreign: Failure = {
  Error: 'Cutover.ForeignWeights',
  Cause:
    'somebody else changed the weights of the rule: Cutover wrote 10, it has 50. They are left as they are',
};
const service: View['services'][number] = {
  name: 'web',
  on: 'ECS',
  site: 'http://127.0.0.1:8080/',
  item: canary.item,
  slots: [
    { name: 'blue', weight: 50, healthy: 2, targets: 2, requests: 900 },
    { name: 'green', weight: 50, healthy: 2, targets: 2, requests: 100 },
  ],
  traffic: { total: 1_000, lost: 0, failed: 0, byVersion: {}, losses: [] },
};
const view: View = {
  activity: 'All came out as it should.',
  now: start + 90_000,
  speed: 20,
  endpoint: 'http://127.0.0.1:4566',
  isolation: 'namespaces',
  services: [service],
  results: [],
  remarks: [],
};

const drawn = (
  { item, ...changes }: Partial<View> & { readonly item?: ServiceItem | undefined },
  width = 200,
  height = 50,
): readonly string[] =>
  stripVTControlCharacters(
    draw({ ...view, services: [{ ...service, ...(item && { item }) }], ...changes }, width, height),
  ).split('\n');

function handed(bar: Failure, failure: Failure | null = null): ServiceItem {
  const deadline = failure === null ? start + dayMs : null;
  const wait = { token: 'token', for: 'hand' as const, deadline, entered: start };
  return needingHand(waiting(canary.item, canary.plan, wait), canary.plan, { bar, failure, deadline }, start);
}

describe('a deployment that waits for a person', () => {
  const refusal: Failure = { Error: 'Cutover.AwsRefused', Cause: 'AccessDenied: ModifyRule' };
  it.each([
    [
      'held',
      handed(foreign),
      'held: somebody else changed the weights of the rule: Cutover wrote 10, it has 50; resume or abort',
    ],
    [
      'needsHand',
      handed(foreign, because('the alarm is red')),
      'cannot go back: somebody else changed the weights of the rule: Cutover wrote 10, it has 50; it is tried again',
    ],
    [
      'frozen',
      handed(refusal, refusal),
      'frozen: AccessDenied: ModifyRule; it is tried again and again, and at once with resume',
    ],
  ])('%s: says why and what one can say, never the step that was planned', (kind, item, words) => {
    expect(item.deployment?.hold?.kind).toBe(kind);
    const lines = drawn({ item });
    expect(lines.join('\n')).toContain(words);
    expect(lines.join('\n')).not.toMatch(/bakes|\[\d+ %]|goes back:/);
    expect(lines.find((line) => line.includes(' blue '))).toContain(' 50 % ');
  });

  it('shows its course again once the person has said to go on', () => {
    const { item } = latch(
      handed(foreign),
      { kind: 'resume', service: web, by: 'ann', reason: 'seen' },
      start + 1,
    );
    expect(item.deployment?.hold?.answer).not.toBeNull();
    expect(drawn({ item }).join('\n')).not.toContain('held');
  });
});

describe('a terminal that is too small', () => {
  const results = Array.from(
    { length: 8 },
    (_, index): Result => ({
      service: 'web',
      direction: 'forward',
      image: `web:v${index}`,
      generation: index,
      outcome: 'live',
      reason: 'every gate passed',
      seconds: 1,
    }),
  );
  const remarks = ['oldest remark', 'newest remark'];

  it.each([
    [22, ['web:v0', 'oldest remark', 'newest remark'], []],
    [21, ['web:v0', 'newest remark'], ['oldest remark']],
    [20, ['web:v0', 'web:v7'], ['remark']],
    [15, ['web:v7'], ['web:v0', 'remark']],
    [8, [], ['web:v7', 'remark']],
  ])('of %i lines keeps the top; what is past gives way, the oldest first', (height, kept, gone) => {
    const lines = drawn({ results, remarks }, 200, height);
    expect(lines.length).toBeLessThanOrEqual(height);
    expect(lines[0]).toMatch(/^Cutover {3}clock 12:01:30 .*http:\/\/127\.0\.0\.1:4566$/);
    const text = lines.join('\n');
    for (const words of [' blue ', ' green ', 'as web-g0002', ...kept]) expect(text).toContain(words);
    for (const words of gone) expect(text).not.toContain(words);
  });

  it('breaks no line anew that is narrow enough already', () => {
    const remark = `web:v1: ${'a'.repeat(300)}`;
    for (const width of [40, 80]) {
      const lines = drawn({ results, remarks: [remark] }, width, 200);
      expect(Math.max(...lines.map(({ length }) => length))).toBeLessThanOrEqual(width);
    }
  });
});

it.each([
  ['back', 'the last order: rejected, no way'],
  ['forward', 'the last push: rejected, no way'],
] as const)('what came of nothing is called what it was: %s', (direction, words) => {
  const intake = {
    id: 'id',
    direction,
    at: start,
    image: null,
    admission: 'rejected' as const,
    reason: 'no way',
    execution: 'arn',
  };
  expect(drawn({ item: liveItem({ intake }) }).join('\n')).toContain(words);
});
