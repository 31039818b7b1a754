/** Which images may be launched, by their scan and their signature, and in which words one may not. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ImageGate,
  type ImageObservation,
  imageGateSchema,
  imageGateVerdict,
} from '../../functions/core/gates/image-gate.ts';
import type { Finding, ImageScan, ManifestScan } from '../../functions/core/gates/image-scan.ts';
import type {
  CosignSignature,
  ImageSignature,
  ManagedSigning,
} from '../../functions/core/gates/image-signature.ts';
import type { Verdict } from '../../functions/core/gates/verdict.ts';
import { digest } from '../../functions/core/names.ts';
import { parse } from '../../functions/core/parse.ts';

const own = digest.parse(`sha256:${'a'.repeat(64)}`);
const other = digest.parse(`sha256:${'b'.repeat(64)}`);
const now = Date.UTC(2026, 2, 10, 12);
const profile = 'arn:aws:signer:eu-west-1:123456789012:/signing-profiles/shop_release';
const pem = `-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE\n-----END PUBLIC KEY-----\n`;

const gate = (policy: Record<string, unknown>): ImageGate => imageGateSchema.parse(policy);
const scanning = (changes: Record<string, unknown> = {}): ImageGate =>
  gate({ scan: { maximumSeverity: 'MEDIUM', ...changes } });
const signedBySigner = gate({ signature: { kind: 'signer', profile } });
const signedByCosign = gate({ signature: { kind: 'cosign', publicKeys: [pem] } });

const finding = (
  vulnerability: string | null,
  severity: string | null,
  name: string | null = null,
): Finding => ({
  vulnerability,
  severity,
  package: name,
});
const scanned = (changes: Partial<ManifestScan> = {}): ManifestScan => ({
  platform: null,
  status: 'COMPLETE',
  description: null,
  completedAt: now - 60_000,
  findings: [],
  counted: changes.findings?.length ?? 0,
  ...changes,
});
const scan = (...manifests: ManifestScan[]): ImageScan => ({ kind: 'read', manifests });
const found = (...findings: Finding[]): ImageScan => scan(scanned({ findings }));
const managed = (...signings: Partial<ManagedSigning>[]): ImageSignature => ({
  kind: 'signer',
  signings: signings.map((each) => ({ profile, status: 'COMPLETE', why: null, ...each })),
});
const cosigned = (...signatures: CosignSignature[]): ImageSignature => ({ kind: 'cosign', signatures });

const verdict = (policy: ImageGate, seen: Partial<ImageObservation>, waited = 0): Verdict =>
  imageGateVerdict(
    policy,
    { scan: null, signature: null, ...seen },
    { digest: own, since: now - waited, now },
  );

const pass: Verdict = { verdict: 'pass' };
const fail = (...reasons: string[]): Verdict => ({ verdict: 'fail', reasons });
const wait = (...missing: string[]): Verdict => ({ verdict: 'wait', missing });

describe('a scan', () => {
  it.each<[string, ImageGate, ImageScan | null, Verdict]>([
    ['passes without findings', scanning(), scan(scanned()), pass],
    ['passes when Inspector keeps it up to date', scanning(), scan(scanned({ status: 'ACTIVE' })), pass],
    ['passes with findings that are allowed', scanning(), found(finding('CVE-2026-1', 'MEDIUM')), pass],
    [
      'passes with the worst that is allowed',
      scanning({ maximumSeverity: 'CRITICAL' }),
      found(finding('CVE-2026-1', 'CRITICAL')),
      pass,
    ],
    [
      'fails with one that is worse',
      scanning(),
      found(finding('CVE-2026-1', 'MEDIUM'), finding('CVE-2026-2', 'HIGH', 'openssl')),
      fail('its scan found CVE-2026-2 (HIGH, openssl); the service allows no worse than MEDIUM'),
    ],
    [
      'fails with any when none is allowed',
      scanning({ maximumSeverity: 'NONE' }),
      found(finding('CVE-2026-1', 'INFORMATIONAL')),
      fail('its scan found CVE-2026-1 (INFORMATIONAL); the service allows none'),
    ],
    [
      'tells the three worst, and how many more',
      scanning(),
      found(
        finding('CVE-2026-1', 'HIGH', 'zlib'),
        finding('CVE-2026-2', 'HIGH', 'curl'),
        finding('CVE-2026-3', 'CRITICAL', 'xz-utils'),
        finding('CVE-2026-4', 'HIGH', 'bash'),
        finding('CVE-2026-5', 'HIGH', 'tar'),
      ),
      fail(
        'its scan found CVE-2026-3 (CRITICAL, xz-utils), CVE-2026-1 (HIGH, zlib), CVE-2026-2 (HIGH, curl) and 2 more; the service allows no worse than MEDIUM',
      ),
    ],
    [
      'fails with one whose severity nobody has said',
      scanning(),
      found(finding('CVE-2026-1', 'UNDEFINED')),
      fail('its scan found CVE-2026-1 (UNDEFINED); the service allows no worse than MEDIUM'),
    ],
    [
      'passes with it where the service says so',
      scanning({ untriaged: 'allowed' }),
      found(finding('CVE-2026-1', 'UNTRIAGED')),
      pass,
    ],
    [
      'fails with a severity that is none',
      scanning({ maximumSeverity: 'CRITICAL', untriaged: 'allowed' }),
      found(finding(null, 'MELTDOWN'), finding('CVE-2026-1', null, 'a\u001b[31m\nb')),
      fail(
        'its scan found a finding without a name (MELTDOWN), CVE-2026-1 (no severity, a?[31m?b); the service allows no worse than CRITICAL',
      ),
    ],
    [
      'passes with what is ignored for a reason',
      scanning({ ignore: [{ vulnerability: 'CVE-2026-1', because: 'not reachable', until: '2026-03-11' }] }),
      found(finding('CVE-2026-1', 'CRITICAL')),
      pass,
    ],
    [
      'fails with it from the day that this ends',
      scanning({ ignore: [{ vulnerability: 'CVE-2026-1', because: 'not reachable', until: '2026-03-10' }] }),
      found(finding('CVE-2026-1', 'CRITICAL')),
      fail('its scan found CVE-2026-1 (CRITICAL); the service allows no worse than MEDIUM'),
    ],
    [
      'fails when it is too long ago',
      scanning({ freshWithinSeconds: 3_600 }),
      scan(scanned({ completedAt: now - 3_600_001 })),
      fail(
        'its scan of 2026-03-10T10:59:59.999Z is older than 3600 s: scan it again (aws ecr start-image-scan), then push again',
      ),
    ],
    [
      'passes when it is just fresh',
      scanning({ freshWithinSeconds: 3_600 }),
      scan(scanned({ completedAt: now - 3_600_000 })),
      pass,
    ],
    [
      'waits before it has begun',
      scanning(),
      scan(scanned({ status: null, completedAt: null })),
      wait('the result of its scan: ECR has none yet (does the repository scan on push?)'),
    ],
    [
      'waits while it is queued',
      scanning(),
      scan(scanned({ status: 'PENDING', completedAt: null })),
      wait('the result of its scan: ECR is scanning'),
    ],
    [
      'waits while it runs',
      scanning(),
      scan(scanned({ status: 'IN_PROGRESS', completedAt: null })),
      wait('the result of its scan: ECR is scanning'),
    ],
    [
      'waits while it is only called complete',
      scanning(),
      scan(scanned({ completedAt: null })),
      wait('the result of its scan: ECR calls it complete and has no findings yet'),
    ],
    [
      'fails by its status',
      scanning(),
      scan(scanned({ status: 'FAILED', description: 'timed out' })),
      fail('its scan failed: timed out'),
    ],
    [
      'fails for an image that cannot be scanned',
      scanning(),
      scan(scanned({ status: 'UNSUPPORTED_IMAGE' })),
      fail('ECR cannot scan what it is made of'),
    ],
    [
      'fails for one that is scanned no more',
      scanning(),
      scan(scanned({ status: 'SCAN_ELIGIBILITY_EXPIRED' })),
      fail('ECR does not scan it any more, it was pushed or pulled too long ago'),
    ],
    [
      'fails without findings',
      scanning(),
      scan(scanned({ status: 'FINDINGS_UNAVAILABLE' })),
      fail('ECR has no findings of its scan'),
    ],
    [
      'fails over a limit',
      scanning(),
      scan(scanned({ status: 'LIMIT_EXCEEDED' })),
      fail('its scan went over a limit of the scanner'),
    ],
    [
      'fails for an archived image',
      scanning(),
      scan(scanned({ status: 'IMAGE_ARCHIVED' })),
      fail('it is archived, and ECR does not scan what is archived'),
    ],
    [
      'fails with a status that nobody knows',
      scanning(),
      scan(scanned({ status: 'DONE' })),
      fail('ECR says DONE of its scan, which is no result'),
    ],
    [
      'fails with a time that is none',
      scanning(),
      scan(scanned({ completedAt: Number.NaN })),
      fail('ECR gives no readable time of its scan'),
    ],
    [
      'fails when findings are counted and not listed',
      scanning(),
      scan(scanned({ counted: 4 })),
      fail('ECR counts 4 findings of its scan and lists none'),
    ],
    ['fails when it was not looked at', scanning(), null, fail('its scan was not looked at')],
    [
      'fails when it cannot be read',
      scanning(),
      { kind: 'unreadable', why: 'the image is gone' },
      fail('its scan cannot be read: the image is gone'),
    ],
    [
      'fails for an index of nothing',
      scanning(),
      scan(),
      fail('its index names no image that could have been scanned'),
    ],
    [
      'passes when that of each platform does',
      scanning(),
      scan(scanned({ platform: 'linux/amd64' }), scanned({ platform: 'linux/arm64' })),
      pass,
    ],
    [
      'waits for that of each platform',
      scanning(),
      scan(scanned({ platform: 'linux/amd64' }), scanned({ platform: 'linux/arm64', status: 'IN_PROGRESS' })),
      wait('the result of its scan (linux/arm64): ECR is scanning'),
    ],
    [
      'tells a finding of several platforms once',
      scanning(),
      scan(
        scanned({ platform: 'linux/amd64', findings: [finding('CVE-2026-1', 'HIGH', 'curl')] }),
        scanned({ platform: 'linux/arm64', findings: [finding('CVE-2026-1', 'HIGH', 'curl')] }),
        scanned({ platform: 'windows/amd64', status: 'UNSUPPORTED_IMAGE' }),
      ),
      fail(
        'ECR cannot scan what it is made of (windows/amd64)',
        'its scan found CVE-2026-1 (HIGH, curl); the service allows no worse than MEDIUM',
      ),
    ],
  ])('%s', (_, policy, seen, expected) => {
    expect(verdict(policy, { scan: seen })).toEqual(expected);
  });
});

describe("ECR's signature", () => {
  it.each<[string, ImageSignature | null, Verdict]>([
    ['passes when it is complete', managed({}), pass],
    [
      'passes whatever other profiles came to',
      managed({ profile: `${profile}_2`, status: 'FAILED' }, {}),
      pass,
    ],
    [
      'waits while ECR signs',
      managed({ status: 'IN_PROGRESS' }),
      wait("ECR's signature with the profile shop_release: ECR is signing"),
    ],
    [
      'waits before ECR has begun',
      managed(),
      wait("ECR's signature with the profile shop_release: it has none"),
    ],
    [
      'waits with those of other profiles',
      managed({ profile: `${profile}_2` }),
      wait("ECR's signature with the profile shop_release: it has those of other profiles"),
    ],
    [
      'fails when ECR could not sign',
      managed({ status: 'FAILED', why: 'AccessDenied: not authorized to perform signer:SignPayload' }),
      fail(
        'ECR could not sign it with the profile shop_release: AccessDenied: not authorized to perform signer:SignPayload',
      ),
    ],
    [
      'fails when it failed and was complete',
      managed({}, { status: 'FAILED' }),
      fail('ECR could not sign it with the profile shop_release'),
    ],
    [
      'fails with a status that nobody knows',
      managed({ status: 'SIGNED' }),
      fail('ECR says SIGNED of its signature with the profile shop_release, which is no signature'),
    ],
    [
      'fails without a status',
      managed({ status: null }),
      fail('ECR says nothing of its signature with the profile shop_release, which is no signature'),
    ],
    ['fails when it was not looked at', null, fail('its signature was not looked at')],
    [
      'fails when another kind was looked at',
      cosigned({ kind: 'verified', digests: [own] }),
      fail('its signature by signer was not looked at'),
    ],
  ])('%s', (_, signature, expected) => {
    expect(verdict(signedBySigner, { signature })).toEqual(expected);
  });
});

describe('a cosign signature', () => {
  const foreign: CosignSignature = { kind: 'unverified', why: "is not by the service's key" };
  it.each<[string, ImageSignature | null, Verdict]>([
    ['passes when it is of this digest', cosigned({ kind: 'verified', digests: [own] }), pass],
    [
      'passes among others',
      cosigned(foreign, { kind: 'verified', digests: [other] }, { kind: 'verified', digests: [own] }),
      pass,
    ],
    ['is waited for', cosigned(), wait("a cosign signature by the service's key: it has none")],
    [
      'is waited for while there are others',
      cosigned(foreign, foreign, { kind: 'verified', digests: [other] }),
      wait(
        `a cosign signature by the service's key: what it has is not by the service's key; is of another image (${other})`,
      ),
    ],
    [
      'of which a phone shows three',
      cosigned(...['1', '2', '3', '4'].map((why) => ({ kind: 'unverified', why }) as const)),
      wait("a cosign signature by the service's key: what it has 1; 2; 3 and 1 more"),
    ],
    [
      'fails when it cannot be read',
      { kind: 'unreadable', why: 'no\u0007key' },
      fail('its signature cannot be read: no?key'),
    ],
    ['fails when another kind was looked at', managed({}), fail('its signature by cosign was not looked at')],
  ])('%s', (_, signature, expected) => {
    expect(verdict(signedByCosign, { signature })).toEqual(expected);
  });
});

describe('the gate', () => {
  const both = gate({
    deadlineSeconds: 600,
    scan: { maximumSeverity: 'HIGH' },
    signature: { kind: 'signer', profile },
  });
  const nothingYet = { scan: scan(scanned({ status: 'IN_PROGRESS' })), signature: managed() };

  it('passes everything when it asks for nothing', () => {
    expect(verdict(gate({}), {})).toEqual(pass);
  });
  it('waits for all that is missing', () => {
    expect(verdict(both, nothingYet, 599_999)).toEqual(
      wait(
        'the result of its scan: ECR is scanning',
        "ECR's signature with the profile shop_release: it has none",
      ),
    );
  });
  it('fails at its deadline with what is missing still', () => {
    expect(verdict(both, nothingYet, 600_000)).toEqual(
      fail(
        'missing after 600 s: the result of its scan: ECR is scanning',
        "missing after 600 s: ECR's signature with the profile shop_release: it has none",
      ),
    );
  });
  it('does not wait when one of both fails', () => {
    expect(verdict(both, { ...nothingYet, scan: found(finding('CVE-2026-1', 'CRITICAL')) })).toEqual(
      fail('its scan found CVE-2026-1 (CRITICAL); the service allows no worse than HIGH'),
    );
  });
  it('passes when both do, however late', () => {
    expect(verdict(both, { scan: scan(scanned()), signature: managed({}) }, 9_999_999)).toEqual(pass);
  });
  it('does not wait from a time that is none', () => {
    expect(verdict(both, nothingYet, Number.NaN).verdict).toBe('fail');
  });
});

describe('the policy', () => {
  it.each<[string, Record<string, unknown>, string[]]>([
    ['a member that it does not have', { scans: null }, ['(the whole): Unrecognized key: "scans"']],
    [
      'a severity that is none',
      { scan: { maximumSeverity: 'high' } },
      [
        'scan/maximumSeverity: Invalid option: expected one of "NONE"|"INFORMATIONAL"|"LOW"|"MEDIUM"|"HIGH"|"CRITICAL", got high',
      ],
    ],
    [
      'an ignored vulnerability without a reason',
      { scan: { maximumSeverity: 'LOW', ignore: [{ vulnerability: 'CVE-2026-1' }] } },
      ['scan/ignore/0/because: Invalid input: expected string, received undefined'],
    ],
    [
      'a profile with its version',
      { signature: { kind: 'signer', profile: `${profile}/abc123` } },
      [`signature/profile: must be the ARN of a signing profile, without a version, got ${profile}/abc123`],
    ],
    [
      'a private key, of which nothing is told',
      { signature: { kind: 'cosign', publicKeys: [pem.replaceAll('PUBLIC', 'PRIVATE')] } },
      ['signature/publicKeys/0: must be a public key in PEM, got -----BEGIN PRIVATE KEY-----...'],
    ],
    [
      'no key',
      { signature: { kind: 'cosign', publicKeys: [] } },
      ['signature/publicKeys: Too small: expected array to have >=1 items'],
    ],
  ])('refuses %s', (_, policy, mistakes) => {
    expect(parse(imageGateSchema, policy)).toEqual({ ok: false, mistakes });
  });
});

describe('whatever is seen', () => {
  const severity = fc.constantFrom(
    'INFORMATIONAL',
    'LOW',
    'MEDIUM',
    'HIGH',
    'CRITICAL',
    'UNDEFINED',
    'high',
    '',
    null,
  );
  const anyFinding = fc.record({
    vulnerability: fc.constantFrom('CVE-2026-1', 'CVE-2026-2', null),
    severity,
    package: fc.option(fc.string()),
  });
  const anyManifest = fc.record({
    platform: fc.option(fc.string()),
    status: fc.constantFrom(
      'COMPLETE',
      'ACTIVE',
      'PENDING',
      'IN_PROGRESS',
      'FAILED',
      'UNSUPPORTED_IMAGE',
      'complete',
      '',
      null,
    ),
    description: fc.option(fc.string()),
    completedAt: fc.constantFrom(null, Number.NaN, now, now - 3_600_000, now - 3_600_001),
    findings: fc.array(anyFinding, { maxLength: 3 }),
    counted: fc.constantFrom(0, 0, 1),
  });
  const anyScan: fc.Arbitrary<ImageScan | null> = fc.oneof(
    {
      weight: 8,
      arbitrary: fc.record({
        kind: fc.constant('read' as const),
        manifests: fc.array(anyManifest, { maxLength: 2 }),
      }),
    },
    fc.constant({ kind: 'unreadable' as const, why: 'x' }),
    fc.constant(null),
  );
  const anySignature: fc.Arbitrary<ImageSignature | null> = fc.oneof(
    fc.record({
      kind: fc.constant('signer' as const),
      signings: fc.array(
        fc.record({
          profile: fc.constantFrom(profile, `${profile}_2`, null),
          status: fc.constantFrom('COMPLETE', 'IN_PROGRESS', 'FAILED', 'complete', null),
          why: fc.constant(null),
        }),
        { maxLength: 2 },
      ),
    }),
    fc.record({
      kind: fc.constant('cosign' as const),
      signatures: fc.array(
        fc.oneof(
          fc.record({ kind: fc.constant('verified' as const), digests: fc.subarray<string>([own, other]) }),
          fc.constant({ kind: 'unverified' as const, why: 'x' }),
        ),
        { maxLength: 2 },
      ),
    }),
    fc.constant({ kind: 'unreadable' as const, why: 'x' }),
    fc.constant(null),
  );
  const ranks = ['NONE', 'INFORMATIONAL', 'LOW', 'MEDIUM', 'HIGH', 'CRITICAL'];

  /** The rule told anew: what it takes for an image to pass. */
  const isClean = (maximum: string, seen: ImageScan | null): boolean =>
    seen?.kind === 'read' &&
    seen.manifests.length > 0 &&
    seen.manifests.every(
      ({ status, completedAt, findings, counted }) =>
        ['COMPLETE', 'ACTIVE'].includes(status ?? '') &&
        completedAt !== null &&
        completedAt >= now - 3_600_000 &&
        (findings.length > 0 || counted === 0) &&
        findings.every((each) => {
          const rank = ranks.indexOf(each.severity ?? '');
          return each.vulnerability === 'CVE-2026-2' || (rank > 0 && rank <= ranks.indexOf(maximum));
        }),
    );
  const isSigned = (kind: string, seen: ImageSignature | null): boolean => {
    if (seen === null || seen.kind !== kind || seen.kind === 'unreadable') return false;
    if (seen.kind === 'cosign')
      return seen.signatures.some((each) => each.kind === 'verified' && each.digests.includes(own));
    const signings = seen.signings.filter((each) => each.profile === profile);
    return signings.length > 0 && signings.every(({ status }) => status === 'COMPLETE');
  };

  it('nothing passes that is unread, malformed, old, unsigned or above the allowed severity; all else does', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...ranks),
        fc.constantFrom(signedBySigner.signature, signedByCosign.signature),
        anyScan,
        anySignature,
        (maximumSeverity, wanted, seen, signature) => {
          const policy = gate({
            scan: {
              maximumSeverity,
              freshWithinSeconds: 3_600,
              ignore: [{ vulnerability: 'CVE-2026-2', because: 'not reachable' }],
            },
            signature: wanted,
          });
          const clean = isClean(maximumSeverity, seen);
          const signed = isSigned(wanted?.kind ?? '', signature);
          const one = (part: Partial<ImageGate>): Verdict =>
            verdict({ ...policy, ...part }, { scan: seen, signature });
          expect(one({ signature: null }).verdict === 'pass').toBe(clean);
          expect(one({ scan: null }).verdict === 'pass').toBe(signed);
          expect(one({}).verdict === 'pass').toBe(clean && signed);
        },
      ),
      { numRuns: 2_000 },
    );
  });
});
