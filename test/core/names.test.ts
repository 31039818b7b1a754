import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  digest,
  generationName,
  isAmi,
  nameDeployment,
  nameGeneration,
  readGenerationName,
  serviceName,
  shortDigest,
  slotName,
} from '../../functions/core/names.ts';
import { amiOf, digestOf } from './examples.ts';

const anyService = fc
  .stringMatching(/^[a-z](?:[a-z0-9-]{0,18}[a-z0-9])?$/)
  .map((name) => serviceName.parse(name));
const anyNumber = fc.oneof(
  fc.integer({ min: 1, max: 20_000 }),
  fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
);

describe('names', () => {
  it.each(['a', 'web', 'web-2', 'a'.repeat(20), 'web-g0001'])('%s may be a service', (name) => {
    expect(serviceName.safeParse(name).success).toBe(true);
  });
  it.each(['', 'Web', '2web', 'web-', '-web', 'web_1', 'a'.repeat(21), 'wéb', 'web\n', 'we b'])(
    '%j may not be a service',
    (name) => {
      expect(serviceName.safeParse(name).success).toBe(false);
    },
  );
  it.each(['', 'a'.repeat(12), 'blue-1', 'Blue', '1blue', 'blue\n'])('%j may not be a slot', (name) => {
    expect(slotName.safeParse(name).success).toBe(false);
  });

  it('of generations lead back to the service and the number', () => {
    fc.assert(
      fc.property(anyService, anyNumber, (service, number) => {
        expect(readGenerationName(nameGeneration(service, number))).toEqual({ service, number });
      }),
    );
  });

  it('of generations rise in order up to 9999', () => {
    const web = serviceName.parse('web');
    expect(nameGeneration(web, 42)).toBe('web-g0042');
    expect(nameGeneration(web, 12_345)).toBe('web-g12345');
  });

  it('of deployments are legal names of executions, for every service', () => {
    // https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
    // oxlint-disable-next-line no-control-regex -- control characters are what is forbidden
    const forbidden = /[\s<>{}[\]?*"#%\\^|~`$&,;:/\u0000-\u001f\u007f-\u009f]/;
    fc.assert(
      fc.property(anyService, anyNumber, anyNumber, (service, number, fence) => {
        const name = nameDeployment(nameGeneration(service, number), fence);
        expect(`retire-${name}`.length).toBeLessThanOrEqual(80);
        expect(name).not.toMatch(forbidden);
        expect(name).toMatch(/^[0-9A-Za-z_-]+$/);
      }),
    );
  });

  it('that are not of generations are not read as ones', () => {
    for (const name of [
      'web',
      'web-g1',
      'web-g',
      '-g0001',
      'Web-g0001',
      'family:web-g0001',
      'web-g0001-x',
      '',
    ]) {
      expect(readGenerationName(name)).toBeUndefined();
    }
    expect(generationName.safeParse('web-g0001').success).toBe(true);
  });

  it('of digests are short enough to read', () => {
    expect(shortDigest(digestOf(255))).toBe('000000000000');
    expect(shortDigest(amiOf(255))).toBe('ami-000000000000000ff');
  });

  it.each<[string, boolean]>([
    ['ami-0123456789abcdef0', true],
    // https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html: from before 2018
    ['ami-01234567', true],
    ['ami-0123456789abcdef', false],
    ['ami-0123456789ABCDEF0', false],
    ['ami-0123456789abcdef0\n', false],
    ['i-0123456789abcdef0', false],
  ])('%j of an AMI: %j', (id, is) => {
    const parsed = digest.safeParse(id);
    expect(parsed.success && isAmi(parsed.data)).toBe(is);
  });
});
