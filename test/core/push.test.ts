import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { amiOwner } from '../../functions/core/images/ami-event.ts';
import { eventOf, isOlder, readAmi, readPush } from '../../functions/core/images/push.ts';
import { isDeployable, matchesTag } from '../../functions/core/images/tag-pattern.ts';
import { amiOf, ecrEvent, imageOf, pushOf, start } from './examples.ts';

const source = { repository: 'shop/web', tags: ['v*', 'release-*'] };
const event = (detail: Record<string, unknown> = {}) => ecrEvent(pushOf(2), detail);

describe('readPush', () => {
  it('reads a push as ECR announces it', () => {
    expect(readPush(event(), source)).toEqual({ kind: 'push', push: pushOf(2) });
  });

  it.each([
    ['a failed push', event({ result: 'FAILURE' }), 'the push failed in ECR (result FAILURE); push again'],
    ['a deletion', event({ 'action-type': 'DELETE' }), 'the action is DELETE, not PUSH'],
    [
      'another repository',
      event({ 'repository-name': 'shop/api' }),
      'the repository is shop/api; this service deploys shop/web',
    ],
    [
      'a child manifest',
      event({ 'image-tag': undefined }),
      'it has no tag: a child manifest of an index, or a push by digest; the tagged push is what deploys',
    ],
    [
      'an unmatched tag',
      event({ 'image-tag': 'latest' }),
      "the tag latest matches none of this service's patterns (v*, release-*)",
    ],
    [
      'the tag of a signature',
      event({ 'image-tag': `sha256-${'0'.repeat(64)}.sig` }),
      `the tag sha256-${'0'.repeat(64)}.sig names what is attached to an image (a signature, an SBOM), not an image`,
    ],
    [
      'a retaining tag',
      event({ 'image-tag': 'retain-web-g0001' }),
      'tags that start with retain- only keep images from expiring',
    ],
  ])('ignores %s', (_, given, reason) => {
    expect(readPush(given, source)).toEqual({ kind: 'ignored', reason });
  });

  it('ignores a retaining tag even when a pattern takes everything', () => {
    expect(readPush(event({ 'image-tag': 'retain-v1' }), { ...source, tags: ['*'] })).toMatchObject({
      kind: 'ignored',
    });
  });

  it.each([
    ['id', { ...event(), id: '' }, 'id'],
    ['id too long', { ...event(), id: 'x'.repeat(129) }, 'id'],
    ['source', { ...event(), source: 'aws.s3' }, 'source'],
    ['detail-type', { ...event(), 'detail-type': 'ECR Image Scan' }, 'detail-type'],
    ['time', { ...event(), time: 'yesterday' }, 'time'],
    ['impossible time', { ...event(), time: '2026-02-30T00:00:00Z' }, 'time'],
    ['detail', { ...event(), detail: null }, 'detail'],
    ['result', event({ result: 'MAYBE' }), 'detail/result'],
    ['repository', event({ 'repository-name': 'x' }), 'detail/repository-name'],
    ['action', event({ 'action-type': 7 }), 'detail/action-type'],
    ['digest', event({ 'image-digest': 'sha256:ABC' }), 'detail/image-digest'],
    [
      'digest of another algorithm',
      event({ 'image-digest': `sha512:${'0'.repeat(128)}` }),
      'detail/image-digest',
    ],
    ['absent digest', event({ 'image-digest': undefined }), 'detail/image-digest'],
    ['empty tag', event({ 'image-tag': '' }), 'detail/image-tag'],
    ['tag too long', event({ 'image-tag': 'v'.repeat(129) }), 'detail/image-tag'],
  ])('calls an event with a wrong %s malformed and names the path', (_, given, path) => {
    const reading = readPush(given, source);
    expect(reading).toMatchObject({ kind: 'malformed' });
    expect('reason' in reading && reading.reason).toContain(`this is not an ECR image event: ${path}: `);
  });

  it('names every mistake at once', () => {
    const reading = readPush({ ...event({ result: 'MAYBE' }), id: '', source: 'x' }, source);
    expect('reason' in reading && reading.reason.split('; ')).toHaveLength(3);
  });

  it('never throws, whatever comes', () => {
    const mutilated = fc.record({
      ...Object.fromEntries(
        Object.entries(event()).map(([key, value]) => [key, fc.oneof(fc.constant(value), fc.anything())]),
      ),
      detail: fc.record(
        Object.fromEntries(
          Object.entries(pushDetail()).map(([key, value]) => [
            key,
            fc.oneof(fc.constant(value), fc.anything()),
          ]),
        ),
        { requiredKeys: [] },
      ),
    });
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue(), mutilated), (garbage) => {
        expect(['push', 'ignored', 'malformed']).toContain(readPush(garbage, source).kind);
      }),
      { numRuns: 500 },
    );
  });
});

const amis = { repository: 'ami:self', tags: ['worker-*'] };
const stateChange = (changes: Record<string, unknown> = {}) => ({
  version: '0',
  id: 'event-7',
  'detail-type': 'EC2 AMI State Change',
  source: 'aws.ec2',
  account: '123456789012',
  time: '2026-01-01T12:07:00Z',
  region: 'eu-west-1',
  resources: [`arn:aws:ec2:eu-west-1::image/${amiOf(7)}`],
  detail: { RequestId: 'r-7', ImageId: amiOf(7), State: 'available', ErrorMessage: '', ...changes },
});
const built = {
  id: 'event-7',
  source: 'cutover.ami',
  'detail-type': 'AMI Available',
  time: '2026-01-01T12:07:00Z',
  detail: { ImageId: amiOf(7) },
};
const announced = { eventId: 'event-7', at: start + 420_000, digest: amiOf(7) };
const worker = imageOf(7, { digest: amiOf(7), tags: ['worker-7'] });

describe('an AMI', () => {
  it.each([
    ['EC2', stateChange()],
    ['a pipeline, by its rule', built],
  ])('is read as %s announces it, before anybody knows what it is', (_, given) => {
    expect(readPush(given, amis)).toEqual({ kind: 'announced', ami: announced });
  });

  it('is a push once it was looked at: its name is the tag', () => {
    const push = { ...announced, repository: 'ami:self', tag: 'worker-7' };
    expect(readAmi(announced, worker, amis)).toEqual({ kind: 'push', push });
  });

  it('that waited is offered again as what it was', () => {
    const push = { ...announced, repository: 'ami:self', tag: 'worker-7' };
    expect(readPush(eventOf(push), amis)).toEqual({ kind: 'announced', ami: announced });
  });

  it.each(['pending', 'deregistered', 'failed', 'disabled'])('that is %s is nobody told of', (State) => {
    expect(readPush(stateChange({ State }), amis)).toEqual({
      kind: 'foreign',
      reason: `${amiOf(7)} is ${State}, not available`,
    });
  });

  it.each([
    [
      'is not the owner’s',
      undefined,
      `${amiOf(7)} is none of ami:self: it is another account's, not available (yet), or gone`,
    ],
    [
      'is called otherwise',
      { ...worker, tags: ['base-7', 'retain-worker-g0001'] },
      `the AMI ${amiOf(7)} is called base-7, which matches none of this service's patterns (worker-*)`,
    ],
  ])('that %s is another’s: nobody is told', (_, image, reason) => {
    expect(readAmi(announced, image, amis)).toEqual({ kind: 'foreign', reason });
  });

  it.each([
    ['an event of ECR', event(), 'source'],
    ['an id that is none', stateChange({ ImageId: 'ami-7' }), 'detail/ImageId'],
    ['an image’s digest', stateChange({ ImageId: pushOf(7).digest }), 'detail/ImageId'],
    ['no state', stateChange({ State: undefined }), 'detail/State'],
    ['nothing where its pipeline has the id', { ...built, detail: { ImageId: '' } }, 'detail/ImageId'],
    ['no time', { ...built, time: undefined }, 'time'],
  ])('with %s is malformed, with the path', (_, given, path) => {
    const reading = readPush(given, amis);
    expect(reading).toMatchObject({ kind: 'malformed' });
    expect('reason' in reading && reading.reason).toContain(`this is not an event of an AMI: ${path}: `);
  });

  it('is no push of a service that deploys images', () => {
    expect(readPush(stateChange(), source)).toMatchObject({ kind: 'malformed' });
  });

  it('never makes the reader throw, whatever comes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.anything(), fc.jsonValue()), (garbage) => {
        expect(['announced', 'foreign', 'malformed']).toContain(readPush(garbage, amis).kind);
        expect(readPush({ ...built, detail: garbage }, amis).kind).toBe('malformed');
      }),
    );
  });

  it.each<[string, string | undefined]>([
    ['ami:self', 'self'],
    ['ami:123456789012', '123456789012'],
    ['ami:12345678901', undefined],
    ['ami', undefined],
    ['shop/ami', undefined],
    ['ami:self/web', undefined],
  ])('repository %s is of the owner %s', (repository, owner) => {
    expect(amiOwner(repository)).toBe(owner);
  });
});

describe('the order of pushes', () => {
  it('is that of their times; within a second neither is older', () => {
    expect(isOlder({ at: 1_000 }, { at: 2_000 })).toBe(true);
    expect(isOlder({ at: 2_000 }, { at: 1_000 })).toBe(false);
    expect(isOlder({ at: 2_000 }, { at: 2_000 })).toBe(false);
  });
});

describe('tag patterns', () => {
  it.each([
    ['v*', 'v1.2.3', true],
    ['v*', 'v', true],
    ['v*', 'dev', false],
    ['*', 'anything_at.all-1', true],
    ['v1.2', 'v1.2', true],
    ['v1.2', 'v1x2', false],
    ['v*-rc*', 'v1-rc2', true],
    ['v*-rc*', 'v1-r2', false],
    ['*-prod', 'v1-prod', true],
    ['*-prod', 'v1-prod-old', false],
    ['a*a', 'a', false],
    ['a*a', 'aa', true],
    ['*ab*ab', 'ab', false],
    ['[v]+', 'v', false],
    ['**', 'v', true],
    ['', 'v', false],
  ])('%j and %j: %j', (pattern, tag, matches) => {
    expect(matchesTag(pattern, tag)).toBe(matches);
  });

  it('match a tag that fills the stars with anything', () => {
    const plain = fc.stringMatching(/^[\w.-]{0,12}$/);
    fc.assert(
      fc.property(fc.array(fc.tuple(plain, plain), { minLength: 1, maxLength: 5 }), plain, (parts, last) => {
        const pattern = parts.map(([fixed]) => `${fixed}*`).join('') + last;
        const tag = parts.map(([fixed, filling]) => fixed + filling).join('') + last;
        expect(matchesTag(pattern, tag)).toBe(true);
      }),
    );
  });

  it('take no longer for many stars', () => {
    const began = performance.now();
    expect(matchesTag(`${'*a'.repeat(30)}*b`, 'a'.repeat(128))).toBe(false);
    expect(performance.now() - began).toBeLessThan(100);
  });

  it('never deploy a retaining tag', () => {
    expect(isDeployable(['*'], 'retain-v1')).toBe(false);
    expect(isDeployable(['v*'], 'v1')).toBe(true);
    expect(isDeployable(['x', 'v*'], 'v1')).toBe(true);
  });
});

function pushDetail(): Record<string, unknown> {
  return event()['detail'] as Record<string, unknown>;
}
