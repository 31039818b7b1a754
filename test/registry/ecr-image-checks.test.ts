/** What the adapter reads of scans and signatures in ECR, and what the gate says to it. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  CreateRepositoryCommand,
  type ECRClient,
  PutRegistryScanningConfigurationCommand,
  PutSigningConfigurationCommand,
} from '@aws-sdk/client-ecr';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EcrImageChecks } from '../../functions/aws/ecr-image-checks.ts';
import { imageGateSchema, imageGateVerdict } from '../../functions/core/gates/image-gate.ts';
import type { Verdict } from '../../functions/core/gates/verdict.ts';
import { type Digest, digest as digestSchema } from '../../functions/core/names.ts';
import { AwsError } from '../../local/call.ts';
import { digestOf } from '../../local/registry/digest.ts';
import { manifestTypes, parseManifest } from '../../local/registry/manifest.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import type { CallLog } from '../../local/wire/call-log.ts';
import { clientOf } from './clients.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';
import { pushArtifact, pushBytes, pushIndex } from './push-artifact.ts';

const repository = 'web';

let embedded: EmbeddedRegistry;
let ecr: ECRClient;
let calls: CallLog;
let checks: EcrImageChecks;

beforeEach(async () => {
  embedded = await EmbeddedRegistry.start();
  ({ client: ecr, calls } = clientOf(embedded));
  checks = new EcrImageChecks(ecr);
  await ecr.send(
    new CreateRepositoryCommand({
      repositoryName: repository,
      imageScanningConfiguration: { scanOnPush: true },
    }),
  );
});
afterEach(async () => {
  await embedded.close();
});

async function push(tag: string): Promise<Digest> {
  const image = { layers: [{ '/app': { content: tag } }], config: { Cmd: ['/app'] } };
  return digestSchema.parse(await pushImage(image, { registry: embedded.url, repository, tag }));
}

/** At a deadline of ten minutes that is over, unless some time is left. */
async function verdict(policy: object, digest: Digest, leftMs = 0): Promise<Verdict> {
  const gate = imageGateSchema.parse({ deadlineSeconds: 600, ...policy });
  const seen = {
    scan: gate.scan && (await checks.scan(repository, digest)),
    signature: gate.signature && (await checks.signature(repository, digest, gate.signature)),
  };
  const now = embedded.clock.now();
  return imageGateVerdict(gate, seen, { digest, since: now - 600_000 + leftMs, now });
}

const pass: Verdict = { verdict: 'pass' };
const fail = (...reasons: string[]): Verdict => ({ verdict: 'fail', reasons });
const wait = (...missing: string[]): Verdict => ({ verdict: 'wait', missing });

describe('the scan of an image', () => {
  const atMostMedium = { scan: { maximumSeverity: 'MEDIUM', freshWithinSeconds: 3_600 } };

  test('is waited for, then passes, then gets old', async () => {
    const digest = await push('v1');
    expect(await verdict(atMostMedium, digest, 1)).toEqual(
      wait('the result of its scan: ECR has none yet (does the repository scan on push?)'),
    );
    await embedded.clock.advance(2_000);
    expect(await verdict(atMostMedium, digest, 1)).toEqual(wait('the result of its scan: ECR is scanning'));
    await embedded.clock.advance(10_000);
    expect(await verdict(atMostMedium, digest)).toEqual(pass);
    await embedded.clock.advance(3_600_001);
    expect(await verdict(atMostMedium, digest)).toEqual(
      fail(
        'its scan of 2026-01-01T00:00:12.000Z is older than 3600 s: scan it again (aws ecr start-image-scan), then push again',
      ),
    );
  });

  test('is read to its last page', async () => {
    const digest = await push('v1');
    const harmless = Array.from({ length: 1_000 }, (_, n) => ({
      name: `CVE-2025-${n}`,
      severity: 'LOW' as const,
      package: 'curl',
    }));
    embedded.ecr.scans.finds(digest, {
      vulnerabilities: [...harmless, { name: 'CVE-2026-1', severity: 'CRITICAL', package: 'xz-utils' }],
    });
    await embedded.clock.advance(12_000);
    expect(await verdict(atMostMedium, digest)).toEqual(
      fail('its scan found CVE-2026-1 (CRITICAL, xz-utils); the service allows no worse than MEDIUM'),
    );
  });

  test('by Inspector is read too', async () => {
    const rule = {
      scanFrequency: 'CONTINUOUS_SCAN' as const,
      repositoryFilters: [{ filter: '*', filterType: 'WILDCARD' as const }],
    };
    await ecr.send(new PutRegistryScanningConfigurationCommand({ scanType: 'ENHANCED', rules: [rule] }));
    const digest = await push('v1');
    embedded.ecr.scans.finds(digest, {
      vulnerabilities: [{ name: 'CVE-2026-1', severity: 'HIGH', package: 'openssl' }],
    });
    await embedded.clock.advance(60_000);
    expect(await verdict(atMostMedium, digest, 1)).toEqual(wait('the result of its scan: ECR is scanning'));
    await embedded.clock.advance(10_000);
    expect(await verdict(atMostMedium, digest, 1)).toEqual(
      wait('the result of its scan: ECR calls it complete and has no findings yet'),
    );
    await embedded.clock.advance(5_000);
    expect(await verdict(atMostMedium, digest)).toEqual(
      fail('its scan found CVE-2026-1 (HIGH, openssl); the service allows no worse than MEDIUM'),
    );
  });

  test.each([
    ['FAILED', 'its scan failed: as ECR says'],
    ['UNSUPPORTED_IMAGE', 'ECR cannot scan what it is made of: as ECR says'],
    [
      'SCAN_ELIGIBILITY_EXPIRED',
      'ECR does not scan it any more, it was pushed or pulled too long ago: as ECR says',
    ],
    ['FINDINGS_UNAVAILABLE', 'ECR has no findings of its scan: as ECR says'],
    ['LIMIT_EXCEEDED', 'its scan went over a limit of the scanner: as ECR says'],
    ['IMAGE_ARCHIVED', 'it is archived, and ECR does not scan what is archived: as ECR says'],
  ] as const)('that is %s does not pass', async (status, words) => {
    const digest = await push('v1');
    embedded.ecr.scans.finds(digest, { status, description: 'as ECR says' });
    await embedded.clock.advance(12_000);
    expect(await verdict(atMostMedium, digest, 1)).toEqual(fail(words));
  });

  test('that is an index is that of each image in it, in whatever depth, but of attestations', async () => {
    const [amd, arm, windows] = [await push('amd64'), await push('arm64'), await push('windows')];
    const attestation = await pushArtifact(embedded.url, repository, { tag: 'attestation' });
    const inner = await pushIndex(embedded.url, repository, 'inner', [
      { digest: arm, platform: 'linux/arm64/v8' },
      { digest: windows, platform: 'windows/amd64' },
    ]);
    const index = digestSchema.parse(
      await pushIndex(embedded.url, repository, 'v1', [
        { digest: amd, platform: 'linux/amd64' },
        { digest: attestation, platform: 'unknown/unknown' },
        { digest: inner, mediaType: manifestTypes.ociIndex },
      ]),
    );
    const found = { name: 'CVE-2026-1', severity: 'HIGH', package: 'openssl' } as const;
    embedded.ecr.scans.finds(arm, { vulnerabilities: [found] });
    embedded.ecr.scans.finds(amd, { vulnerabilities: [found] });
    embedded.ecr.scans.finds(windows, { status: 'UNSUPPORTED_IMAGE' });
    await embedded.clock.advance(12_000);
    expect(await verdict(atMostMedium, index)).toEqual(
      fail(
        'ECR cannot scan what it is made of (windows/amd64)',
        'its scan found CVE-2026-1 (HIGH, openssl); the service allows no worse than MEDIUM',
      ),
    );
    const seen = await checks.scan(repository, index);
    expect(seen.kind === 'read' && seen.manifests.map(({ platform }) => platform)).toEqual([
      'linux/amd64',
      'linux/arm64/v8',
      'windows/amd64',
    ]);
  });

  test.each([
    ['linux/unknown', ' (linux/unknown)'],
    ['unknown/amd64', ' (unknown/amd64)'],
    [undefined, ''],
  ])('of the platform %s, which is not quite that of attestations, is asked for', async (platform, of) => {
    const child = await push('amd64');
    const entry = { digest: child, ...(platform === undefined ? {} : { platform }) };
    const index = digestSchema.parse(await pushIndex(embedded.url, repository, 'v1', [entry]));
    expect(await verdict(atMostMedium, index, 1)).toEqual(
      wait(`the result of its scan${of}: ECR has none yet (does the repository scan on push?)`),
    );
  });

  test('that is an index of attestations alone does not pass', async () => {
    const child = await push('amd64');
    const index = digestSchema.parse(
      await pushIndex(embedded.url, repository, 'v1', [{ digest: child, platform: 'unknown/unknown' }]),
    );
    expect(await verdict(atMostMedium, index, 1)).toEqual(
      fail('its index names no image that could have been scanned'),
    );
  });

  test('that is gone does not pass', async () => {
    const digest = await push('v1');
    embedded.registry.deleteImage(repository, { digest });
    const words = 'its scan cannot be read: the repository does not hold the image (any more)';
    expect(await verdict(atMostMedium, digest, 1)).toEqual(fail(words));
    embedded.registry.deleteRepository(repository, { force: true });
    expect(await verdict(atMostMedium, digest, 1)).toEqual(fail(words));
  });

  test('that is of too many images does not pass', async () => {
    const many = Array.from({ length: 65 }, (_, n) => {
      const config = { mediaType: 'x', digest: `sha256:${'0'.repeat(64)}`, size: 2, urls: [] };
      const text = JSON.stringify({
        schemaVersion: 2,
        mediaType: manifestTypes.ociManifest,
        config,
        layers: [],
        n,
      });
      return embedded.registry.putImage(repository, parseManifest(Buffer.from(text))).manifest.digest;
    });
    const index = digestSchema.parse(
      await pushIndex(
        embedded.url,
        repository,
        'v1',
        many.map((digest) => ({ digest, platform: 'linux/amd64' })),
      ),
    );
    expect(await verdict(atMostMedium, index, 1)).toEqual(
      fail('its scan cannot be read: its index names too many images'),
    );
  });

  test.each([
    ['ThrottlingException', 'Cutover.AwsUnavailable'],
    ['AccessDeniedException', 'Cutover.AwsRefused'],
  ])('that AWS does not tell (%s) is no result', async (code, name) => {
    const digest = await push('v1');
    calls.hook({
      before: ({ operation }) => {
        if (operation === 'DescribeImageScanFindings') throw new AwsError(code, 'no');
      },
    });
    await expect(checks.scan(repository, digest)).rejects.toMatchObject({ name });
  });
});

describe("ECR's signature of an image", () => {
  const profile = 'arn:aws:signer:us-east-1:123456789012:/signing-profiles/shop_release';
  const policy = { signature: { kind: 'signer', profile } };
  const configure = (...profiles: string[]) =>
    ecr.send(
      new PutSigningConfigurationCommand({
        signingConfiguration: { rules: profiles.map((signingProfileArn) => ({ signingProfileArn })) },
      }),
    );

  test('is waited for, then passes', async () => {
    await configure(profile);
    const digest = await push('v1');
    expect(await verdict(policy, digest, 1)).toEqual(
      wait("ECR's signature with the profile shop_release: ECR is signing"),
    );
    await embedded.clock.advance(5_000);
    expect(await verdict(policy, digest)).toEqual(pass);
  });

  test('with another profile is none', async () => {
    await configure(`${profile}_test`);
    const digest = await push('v1');
    await embedded.clock.advance(5_000);
    expect(await verdict(policy, digest)).toEqual(
      fail(
        "missing after 600 s: ECR's signature with the profile shop_release: it has those of other profiles",
      ),
    );
  });

  test('that failed fails it', async () => {
    await configure(profile);
    embedded.ecr.signing.fails(profile, { failureCode: 'AccessDenied', failureReason: 'signer:SignPayload' });
    const digest = await push('v1');
    await embedded.clock.advance(5_000);
    expect(await verdict(policy, digest, 1)).toEqual(
      fail('ECR could not sign it with the profile shop_release: AccessDenied: signer:SignPayload'),
    );
  });

  test('of what is gone does not pass', async () => {
    const digest = await push('v1');
    embedded.registry.deleteImage(repository, { digest });
    expect(await verdict(policy, digest, 1)).toEqual(
      fail('its signature cannot be read: the repository does not hold the image (any more)'),
    );
  });
});

interface Keys {
  readonly privateKey: KeyObject;
  readonly pem: string;
}
function makeKeys(kind: 'ec' | 'rsa' | 'ed25519' = 'ec'): Keys {
  const { privateKey, publicKey } =
    kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2_048 })
        : generateKeyPairSync('ed25519');
  return { privateKey, pem: publicKey.export({ type: 'spki', format: 'pem' }) as string };
}

const keys = makeKeys();
const otherKeys = makeKeys();
const cosign = (...publicKeys: string[]) => ({ signature: { kind: 'cosign', publicKeys } });
const missing = (words: string): Verdict =>
  fail(`missing after 600 s: a cosign signature by the service's key: ${words}`);
const byNoKey = "what it has is not by the service's key";

/** https://github.com/sigstore/cosign/blob/main/specs/SIGNATURE_SPEC.md#simple-signing */
function simplePayload(digest: string, type = 'cosign container image signature'): Buffer {
  return Buffer.from(
    JSON.stringify({
      critical: {
        identity: { 'docker-reference': `registry/${repository}` },
        image: { 'docker-manifest-digest': digest },
        type,
      },
      optional: null,
    }),
  );
}
const signed = (payload: Buffer, { privateKey }: Keys): string =>
  sign('sha256', payload, privateKey).toString('base64');

/** As `cosign sign --key` of cosign 1 and 2 stores it; each layer is one signature. */
async function pushSimple(
  of: string,
  signatures: readonly { payload: Buffer; signature: string; size?: number }[],
  as?: { subject: string },
): Promise<void> {
  const layers = [];
  for (const { payload, signature, size = payload.length } of signatures) {
    layers.push({
      mediaType: 'application/vnd.dev.cosign.simplesigning.v1+json',
      digest: await pushBytes(embedded.url, repository, payload),
      size,
      annotations: { 'dev.cosignproject.cosign/signature': signature },
    });
  }
  await pushArtifact(embedded.url, repository, {
    ...(as === undefined
      ? { tag: `${of.replace(':', '-')}.sig` }
      : { subject: as.subject, artifactType: 'application/vnd.dev.cosign.artifact.sig.v1+json' }),
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', content: '{}' },
    layers,
  });
}

describe('a signature of cosign 1 and 2', () => {
  test('by the key, for the digest, passes', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest);
    await pushSimple(digest, [{ payload, signature: signed(payload, keys) }]);
    expect(await verdict(cosign(keys.pem), digest)).toEqual(pass);
  });

  test('by an RSA key passes', async () => {
    const rsa = makeKeys('rsa');
    const digest = await push('v1');
    const payload = simplePayload(digest);
    await pushSimple(digest, [{ payload, signature: signed(payload, rsa) }]);
    expect(await verdict(cosign(rsa.pem), digest)).toEqual(pass);
  });

  test('by one of the keys while it is replaced passes, whatever other signatures there are', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest);
    await pushSimple(digest, [
      { payload, signature: signed(payload, makeKeys()) },
      { payload, signature: signed(payload, otherKeys) },
    ]);
    expect(await verdict(cosign(keys.pem, otherKeys.pem), digest)).toEqual(pass);
  });

  test('that refers to the image instead of being tagged passes', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest);
    await pushSimple(digest, [{ payload, signature: signed(payload, keys) }], { subject: digest });
    expect(await verdict(cosign(keys.pem), digest)).toEqual(pass);
  });

  test('is waited for until the deadline', async () => {
    const digest = await push('v1');
    expect(await verdict(cosign(keys.pem), digest, 1)).toEqual(
      wait("a cosign signature by the service's key: it has none"),
    );
    expect(await verdict(cosign(keys.pem), digest)).toEqual(missing('it has none'));
  });

  test('by another key does not pass', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest);
    await pushSimple(digest, [{ payload, signature: signed(payload, otherKeys) }]);
    expect(await verdict(cosign(keys.pem), digest)).toEqual(missing(byNoKey));
  });

  test('for another digest does not pass under this one', async () => {
    const digest = await push('v1');
    const other = await push('v2');
    const payload = simplePayload(other);
    await pushSimple(digest, [{ payload, signature: signed(payload, keys) }]);
    expect(await verdict(cosign(keys.pem), digest)).toEqual(
      missing(`what it has is of another image (${other})`),
    );
  });

  test('under a payload that was swapped does not pass', async () => {
    const digest = await push('v1');
    const signature = signed(simplePayload(await push('v2')), keys);
    await pushSimple(digest, [{ payload: simplePayload(digest), signature }]);
    expect(await verdict(cosign(keys.pem), digest)).toEqual(missing(byNoKey));
  });

  test.each([
    ['without its annotation', '', byNoKey],
    ['that is no base64', '\u0000', byNoKey],
  ])('%s does not pass', async (_, signature, words) => {
    const digest = await push('v1');
    await pushSimple(digest, [{ payload: simplePayload(digest), signature }]);
    expect(await verdict(cosign(keys.pem), digest)).toEqual(missing(words));
  });

  test('of what says something else does not pass', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest, 'atomic container signature');
    const garbage = Buffer.from('no JSON');
    await pushSimple(digest, [
      { payload, signature: signed(payload, keys) },
      { payload: garbage, signature: signed(garbage, keys) },
    ]);
    const seen = await verdict(cosign(keys.pem), digest);
    expect(seen).toMatchObject({
      verdict: 'fail',
      reasons: [
        expect.stringMatching(
          /what it has cannot be read: what was signed is not valid.*; cannot be read: Unexpected token/,
        ),
      ],
    });
  });

  test('that is too large is not fetched', async () => {
    const digest = await push('v1');
    const payload = Buffer.alloc(256 * 1_024 + 1, ' ');
    const signature = signed(payload, keys);
    await pushSimple(digest, [
      { payload, signature },
      // Its size is a lie.
      { payload: Buffer.concat([payload, payload]), signature, size: 10 },
    ]);
    expect(await verdict(cosign(keys.pem), digest)).toEqual(missing('what it has is too large'));
    expect(calls.records({ operation: 'GetDownloadUrlForLayer' })).toHaveLength(1);
  });

  test('among too many does not pass', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest);
    const signature = signed(payload, otherKeys);
    await pushSimple(
      digest,
      Array.from({ length: 21 }, () => ({ payload, signature })),
    );
    expect(await verdict(cosign(keys.pem), digest, 1)).toEqual(
      fail('its signature cannot be read: there are more than 20 signatures'),
    );
  });

  test('that is no manifest of one does not pass', async () => {
    const digest = await push('v1');
    const tag = `${digest.replace(':', '-')}.sig`;
    embedded.registry.repository(repository).tags.set(tag, digestOf(Buffer.from('x')));
    const bytes = Buffer.from('[]');
    embedded.registry.repository(repository).images.set(digestOf(Buffer.from('x')), {
      manifest: {
        digest: digestOf(Buffer.from('x')),
        mediaType: manifestTypes.ociManifest,
        bytes,
        layers: [],
        manifests: [],
      },
      pushedAt: 0,
    });
    expect(await verdict(cosign(keys.pem), digest, 1)).toMatchObject({
      reasons: [
        expect.stringContaining(`its signature cannot be read: the manifest of web@${tag} is not valid`),
      ],
    });
  });

  test('is not verified with what is no key', async () => {
    const digest = await push('v1');
    const garbage = '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n';
    expect(await verdict(cosign(keys.pem, garbage), digest, 1)).toMatchObject({
      reasons: [
        expect.stringMatching(/^its signature cannot be read: public key 2 of the service is none: /),
      ],
    });
    expect(await verdict(cosign(makeKeys('ed25519').pem), digest, 1)).toEqual(
      fail(
        'its signature cannot be read: public key 1 of the service is none: TypeError: cosign signs with ECDSA or RSA keys, this one is ed25519',
      ),
    );
  });

  test('whose layer cannot be had is no result', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest);
    await pushSimple(digest, [{ payload, signature: signed(payload, keys) }]);
    embedded.registry.repository(repository).blobs.delete(digestOf(payload));
    await expect(verdict(cosign(keys.pem), digest)).rejects.toMatchObject({ name: 'Cutover.AwsRefused' });
  });

  test('whose layer does not come is worth another try', async () => {
    const digest = await push('v1');
    const payload = simplePayload(digest);
    await pushSimple(digest, [{ payload, signature: signed(payload, keys) }]);
    calls.hook({
      after: ({ operation }) => (operation === 'GetDownloadUrlForLayer' ? embedded.close() : undefined),
    });
    await expect(verdict(cosign(keys.pem), digest)).rejects.toMatchObject({ name: 'Cutover.AwsUnavailable' });
    embedded = await EmbeddedRegistry.start();
  });
});

const inToto = 'application/vnd.in-toto+json';
const bundleType = 'application/vnd.dev.sigstore.bundle.v0.3+json';

interface Statement {
  readonly digests: readonly string[];
  readonly predicateType?: string;
  readonly payloadType?: string;
}

/** As `cosign sign --key` of cosign 3 stores it: https://github.com/sigstore/cosign/blob/main/specs/BUNDLE_SPEC.md */
function bundleOf(
  what: Statement,
  by: Keys,
  verificationMaterial: object = { publicKey: { hint: 'x' } },
): object {
  const { digests, predicateType = 'https://sigstore.dev/cosign/sign/v1', payloadType = inToto } = what;
  const payload = Buffer.from(
    JSON.stringify({
      _type: 'https://in-toto.io/Statement/v1',
      subject: digests.map((each) => ({ digest: { sha256: each.replace('sha256:', '') } })),
      predicateType,
      predicate: {},
    }),
  );
  // https://github.com/secure-systems-lab/dsse/blob/master/protocol.md
  const encoded = Buffer.concat([
    Buffer.from(`DSSEv1 ${payloadType.length} ${payloadType} ${payload.length} `),
    payload,
  ]);
  return {
    mediaType: bundleType,
    verificationMaterial,
    dsseEnvelope: {
      payload: payload.toString('base64'),
      payloadType,
      signatures: [{ sig: signed(encoded, by) }],
    },
  };
}

async function pushBundle(subject: string, bundle: object | string): Promise<void> {
  const content = Buffer.from(typeof bundle === 'string' ? bundle : JSON.stringify(bundle));
  const layer = {
    mediaType: bundleType,
    digest: await pushBytes(embedded.url, repository, content),
    size: content.length,
  };
  await pushArtifact(embedded.url, repository, { artifactType: bundleType, subject, layers: [layer] });
}

describe('a signature of cosign 3', () => {
  test('by the key, for the digest, passes', async () => {
    const digest = await push('v1');
    await pushBundle(digest, bundleOf({ digests: [digest] }, keys));
    expect(await verdict(cosign(otherKeys.pem, keys.pem), digest)).toEqual(pass);
  });

  test('by another key does not pass', async () => {
    const digest = await push('v1');
    await pushBundle(digest, bundleOf({ digests: [digest] }, otherKeys));
    expect(await verdict(cosign(keys.pem), digest)).toEqual(missing(byNoKey));
  });

  test('for another digest does not pass, whatever it refers to', async () => {
    const digest = await push('v1');
    const other = await push('v2');
    await pushBundle(digest, bundleOf({ digests: [other] }, keys));
    expect(await verdict(cosign(keys.pem), digest)).toEqual(
      missing(`what it has is of another image (${other})`),
    );
  });

  test('under a payload that was swapped does not pass', async () => {
    const digest = await push('v1');
    const good = bundleOf({ digests: [await push('v2')] }, keys) as { dsseEnvelope: object };
    const { dsseEnvelope: wanted } = bundleOf({ digests: [digest] }, otherKeys) as {
      dsseEnvelope: { payload: string };
    };
    await pushBundle(digest, { ...good, dsseEnvelope: { ...good.dsseEnvelope, payload: wanted.payload } });
    expect(await verdict(cosign(keys.pem), digest)).toEqual(missing(byNoKey));
  });

  test('that is an attestation about the image does not pass', async () => {
    const digest = await push('v1');
    await pushBundle(
      digest,
      bundleOf({ digests: [digest], predicateType: 'https://slsa.dev/provenance/v1' }, keys),
    );
    expect(await verdict(cosign(keys.pem), digest)).toMatchObject({
      reasons: [expect.stringContaining('what it has cannot be read: what was signed is not valid')],
    });
  });

  test.each<[string, (digest: string) => object | string, string]>([
    [
      'by a certificate',
      (digest) => bundleOf({ digests: [digest] }, keys, { certificate: { rawBytes: 'AAAA' } }),
      'is by a certificate, not by a key',
    ],
    [
      'of a payload of another type',
      (digest) => bundleOf({ digests: [digest], payloadType: 'text/plain' }, keys),
      'is not what cosign sign writes',
    ],
    [
      'of a blob',
      () => ({
        mediaType: bundleType,
        verificationMaterial: { publicKey: { hint: 'x' } },
        messageSignature: { messageDigest: { algorithm: 'SHA2_256', digest: 'AAAA' }, signature: 'AAAA' },
      }),
      'is not what cosign sign writes',
    ],
    ['that is no bundle', () => ({ mediaType: bundleType }), 'cannot be read: invalid bundle'],
    ['that is no JSON', () => '{', 'cannot be read: Expected property name'],
  ])('%s does not pass', async (_, bundle, words) => {
    const digest = await push('v1');
    await pushBundle(digest, bundle(digest));
    expect(await verdict(cosign(keys.pem), digest)).toMatchObject({
      verdict: 'fail',
      reasons: [expect.stringContaining(`what it has ${words}`)],
    });
  });

  test('with a proof of a log is verified by its key alone', async () => {
    const digest = await push('v1');
    const tlogEntries = [
      {
        logIndex: '1',
        logId: { keyId: 'AAAA' },
        kindVersion: { kind: 'dsse', version: '0.0.1' },
        integratedTime: '1',
        inclusionPromise: { signedEntryTimestamp: 'AAAA' },
        inclusionProof: {
          logIndex: '1',
          rootHash: 'AAAA',
          treeSize: '2',
          hashes: ['AAAA'],
          checkpoint: { envelope: 'x' },
        },
        canonicalizedBody: 'AAAA',
      },
    ];
    await pushBundle(
      digest,
      bundleOf({ digests: [digest] }, keys, { publicKey: { hint: 'x' }, tlogEntries }),
    );
    expect(await verdict(cosign(keys.pem), digest)).toEqual(pass);
  });

  test('among too many that refer to the image does not pass', async () => {
    const digest = await push('v1');
    for (let n = 0; n < 21; n++) {
      await pushArtifact(embedded.url, repository, {
        artifactType: bundleType,
        subject: digest,
        config: { mediaType: 'text/plain', content: String(n) },
      });
    }
    expect(await verdict(cosign(keys.pem), digest, 1)).toEqual(
      fail('its signature cannot be read: there are more than 20 signatures'),
    );
  });
});
