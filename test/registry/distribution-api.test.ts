import { createHash } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { manifestTypes } from '../../local/registry/manifest.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';

let embedded: EmbeddedRegistry;

beforeEach(async () => {
  embedded = await EmbeddedRegistry.start('web', 'team/api');
});
afterEach(async () => {
  await embedded.close();
});

const digestOf = (content: string): string => `sha256:${createHash('sha256').update(content).digest('hex')}`;

function send(method: string, path: string, options: RequestInit = {}): Promise<Response> {
  return fetch(new URL(path, embedded.url), { method, ...options });
}

async function errorOf(response: Response): Promise<{ status: number; code: string; message: string }> {
  const { errors } = (await response.json()) as { errors: [{ code: string; message: string }] };
  return { status: response.status, code: errors[0].code, message: errors[0].message };
}

async function startUpload(repository = 'web'): Promise<string> {
  const response = await send('POST', `/v2/${repository}/blobs/uploads/`);
  expect(response.status).toBe(202);
  return response.headers.get('location') ?? '';
}

async function pushBlob(content: string, repository = 'web'): Promise<string> {
  const digest = digestOf(content);
  const response = await send('POST', `/v2/${repository}/blobs/uploads/?digest=${digest}`, { body: content });
  expect(response.status).toBe(201);
  return digest;
}

async function manifestText(name: string, extra: object = {}): Promise<string> {
  const config = `{"name":"${name}"}`;
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestTypes.ociManifest,
    config: {
      mediaType: 'application/vnd.oci.image.config.v1+json',
      digest: await pushBlob(config),
      size: config.length,
    },
    layers: [],
    ...extra,
  });
}

function putManifest(
  reference: string,
  body: string,
  type: string = manifestTypes.ociManifest,
): Promise<Response> {
  return send('PUT', `/v2/web/manifests/${reference}`, { body, headers: { 'content-type': type } });
}

test('/v2/ answers whoever asks', async () => {
  for (const headers of [{}, { authorization: 'Basic QVdTOng=' }]) {
    expect((await send('GET', '/v2/', { headers })).status).toBe(200);
  }
});

test('a repository must have been created', async () => {
  expect(await errorOf(await send('POST', '/v2/nope/blobs/uploads/'))).toEqual({
    status: 404,
    code: 'NAME_UNKNOWN',
    message: "The repository with name 'nope' does not exist in the registry with id '123456789012'",
  });
});

test('what the API does not have is unsupported', async () => {
  expect(await errorOf(await send('GET', '/v2/_catalog'))).toMatchObject({
    status: 404,
    code: 'UNSUPPORTED',
  });
  expect(await errorOf(await send('DELETE', '/v2/web/tags/list'))).toMatchObject({
    status: 405,
    code: 'UNSUPPORTED',
  });
});

describe('blobs', () => {
  test('are uploaded by POST then PUT', async () => {
    const upload = await startUpload('team/api');
    const digest = digestOf('content');
    const response = await send('PUT', `${upload}?digest=${digest}`, { body: 'content' });
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`/v2/team/api/blobs/${digest}`);
    expect(await (await send('GET', `/v2/team/api/blobs/${digest}`)).text()).toBe('content');
  });

  test('are uploaded in chunks that follow each other', async () => {
    const upload = await startUpload();
    const first = await send('PATCH', upload, { body: 'hello ', headers: { 'content-range': '0-5' } });
    expect([first.status, first.headers.get('range')]).toEqual([202, '0-5']);

    const gap = await send('PATCH', upload, { body: 'world', headers: { 'content-range': '7-11' } });
    expect([gap.status, gap.headers.get('range')]).toEqual([416, '0-5']);

    const status = await send('GET', upload);
    expect([status.status, status.headers.get('range')]).toEqual([204, '0-5']);

    await send('PATCH', upload, { body: 'world', headers: { 'content-range': '6-10' } });
    const done = await send('PUT', `${upload}?digest=${digestOf('hello world')}`);
    expect(done.status).toBe(201);
    expect(await (await send('GET', `/v2/web/blobs/${digestOf('hello world')}`)).text()).toBe('hello world');
  });

  test('whose digest is another are refused, and their upload is gone', async () => {
    const upload = await startUpload();
    const refused = await errorOf(
      await send('PUT', `${upload}?digest=${digestOf('else')}`, { body: 'content' }),
    );
    expect(refused).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
    expect(await errorOf(await send('GET', upload))).toMatchObject({
      status: 404,
      code: 'BLOB_UPLOAD_UNKNOWN',
    });
    expect((await send('HEAD', `/v2/web/blobs/${digestOf('content')}`)).status).toBe(404);
  });

  test.each(['md5:abc', 'sha256:xyz', ''])('cannot have the digest %j', async (digest) => {
    const upload = await startUpload();
    expect(await errorOf(await send('PUT', `${upload}?digest=${digest}`, { body: 'x' }))).toMatchObject({
      status: 400,
      code: 'DIGEST_INVALID',
    });
  });

  test('are not there when their upload was cancelled', async () => {
    const upload = await startUpload();
    await send('PATCH', upload, { body: 'x' });
    expect((await send('DELETE', upload)).status).toBe(204);
    expect((await send('GET', upload)).status).toBe(404);
  });

  test('are read in ranges', async () => {
    const digest = await pushBlob('0123456789');
    const head = await send('HEAD', `/v2/web/blobs/${digest}`);
    expect([head.status, head.headers.get('content-length')]).toEqual([200, '10']);
    const part = await send('GET', `/v2/web/blobs/${digest}`, { headers: { range: 'bytes=2-4' } });
    expect([part.status, part.headers.get('content-range'), await part.text()]).toEqual([
      206,
      'bytes 2-4/10',
      '234',
    ]);
    const end = await send('GET', `/v2/web/blobs/${digest}`, { headers: { range: 'bytes=-3' } });
    expect(await end.text()).toBe('789');
    const outside = await send('GET', `/v2/web/blobs/${digest}`, { headers: { range: 'bytes=10-' } });
    expect(outside.status).toBe(416);
  });

  test('are seen in the repository they were pushed to, and mounted into another', async () => {
    const digest = await pushBlob('shared');
    expect((await send('HEAD', `/v2/team/api/blobs/${digest}`)).status).toBe(404);
    const mounted = await send('POST', `/v2/team/api/blobs/uploads/?mount=${digest}&from=web`);
    expect(mounted.status).toBe(201);
    expect(await (await send('GET', `/v2/team/api/blobs/${digest}`)).text()).toBe('shared');
  });

  test('that cannot be mounted are uploaded instead', async () => {
    const started = await send('POST', `/v2/team/api/blobs/uploads/?mount=${digestOf('unknown')}&from=web`);
    expect(started.status).toBe(202);
  });
});

describe('manifests', () => {
  test('come back byte for byte, by tag and by digest', async () => {
    const body = (await manifestText('a')).replace('{', '{\n  ');
    const digest = digestOf(body);
    const put = await putManifest('v1', body);
    expect([put.status, put.headers.get('docker-content-digest')]).toEqual([201, digest]);
    for (const reference of ['v1', digest]) {
      const got = await send('GET', `/v2/web/manifests/${reference}`);
      expect(got.headers.get('content-type')).toBe(manifestTypes.ociManifest);
      expect(await got.text()).toBe(body);
    }
    const head = await send('HEAD', '/v2/web/manifests/v1');
    expect([head.status, head.headers.get('docker-content-digest')]).toEqual([200, digest]);
  });

  test.each<[string, string, string | undefined, string]>([
    ['no JSON', '{', undefined, 'MANIFEST_INVALID'],
    [
      'another type than it was pushed as',
      `{"schemaVersion":2,"mediaType":"${manifestTypes.ociIndex}"}`,
      undefined,
      'MANIFEST_INVALID',
    ],
    ['an unknown type', '{"schemaVersion":2}', 'application/json', 'MANIFEST_INVALID'],
    ['no layers', '{"schemaVersion":2}', undefined, 'MANIFEST_INVALID'],
    [
      'blobs that were not pushed',
      JSON.stringify({
        schemaVersion: 2,
        config: { mediaType: 'c', digest: digestOf('no'), size: 1 },
        layers: [],
      }),
      undefined,
      'MANIFEST_BLOB_UNKNOWN',
    ],
    [
      'manifests that were not pushed',
      JSON.stringify({ schemaVersion: 2, manifests: [{ mediaType: 'm', digest: digestOf('no'), size: 1 }] }),
      manifestTypes.ociIndex,
      'MANIFEST_BLOB_UNKNOWN',
    ],
  ])('with %s are refused', async (_case, body, type, code) => {
    expect(await errorOf(await putManifest('v1', body, type))).toMatchObject({ status: 400, code });
    expect(embedded.events).toEqual([]);
  });

  test('pushed by another digest than their own are refused', async () => {
    const refused = await errorOf(await putManifest(digestOf('else'), await manifestText('a')));
    expect(refused).toMatchObject({ status: 400, code: 'DIGEST_INVALID' });
  });

  test('that nobody pushed are unknown', async () => {
    expect(await errorOf(await send('GET', '/v2/web/manifests/nope'))).toMatchObject({
      status: 404,
      code: 'MANIFEST_UNKNOWN',
    });
  });

  test('are deleted by tag, and by digest with all tags', async () => {
    const body = await manifestText('a');
    for (const tag of ['v1', 'v2', 'v3']) await putManifest(tag, body);
    expect((await send('DELETE', '/v2/web/manifests/v1')).status).toBe(202);
    expect((await send('GET', '/v2/web/manifests/v1')).status).toBe(404);
    expect((await send('GET', '/v2/web/manifests/v2')).status).toBe(200);
    expect((await send('DELETE', `/v2/web/manifests/${digestOf(body)}`)).status).toBe(202);
    expect((await send('GET', '/v2/web/manifests/v3')).status).toBe(404);
  });

  test('that are about another are its referrers', async () => {
    const image = await manifestText('image');
    await putManifest('v1', image);
    const subject = { mediaType: manifestTypes.ociManifest, digest: digestOf(image), size: image.length };
    const [sbom, signature] = [
      await manifestText('sbom', { subject, artifactType: 'application/sbom' }),
      await manifestText('signature', {
        subject,
        artifactType: 'application/signature',
        annotations: { by: 'me' },
      }),
    ];
    const put = await putManifest(digestOf(sbom), sbom);
    expect(put.headers.get('oci-subject')).toBe(digestOf(image));
    await putManifest(digestOf(signature), signature);

    const all = await send('GET', `/v2/web/referrers/${digestOf(image)}`);
    expect(all.headers.get('content-type')).toBe(manifestTypes.ociIndex);
    expect(((await all.json()) as { manifests: unknown[] }).manifests).toHaveLength(2);
    const filtered = await send(
      'GET',
      `/v2/web/referrers/${digestOf(image)}?artifactType=application/signature`,
    );
    expect(filtered.headers.get('oci-filters-applied')).toBe('artifactType');
    expect(((await filtered.json()) as { manifests: unknown[] }).manifests).toEqual([
      {
        mediaType: manifestTypes.ociManifest,
        digest: digestOf(signature),
        size: signature.length,
        artifactType: 'application/signature',
        annotations: { by: 'me' },
      },
    ]);
  });
});

test('tags are listed in order, page by page', async () => {
  const body = await manifestText('a');
  for (const tag of ['v3', 'v1', 'v2']) await putManifest(tag, body);
  const first = await send('GET', '/v2/web/tags/list?n=2');
  expect(await first.json()).toEqual({ name: 'web', tags: ['v1', 'v2'] });
  const next = /<(.+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? '';
  const second = await send('GET', next);
  expect(await second.json()).toEqual({ name: 'web', tags: ['v3'] });
  expect(second.headers.get('link')).toBeNull();
});

describe('events', () => {
  const pushed = (digest: string, more: object) => ({
    source: 'aws.ecr',
    detailType: 'ECR Image Action',
    resources: [],
    detail: {
      result: 'SUCCESS',
      'repository-name': 'web',
      'image-digest': digest,
      'action-type': 'PUSH',
      'manifest-media-type': manifestTypes.ociManifest,
      'artifact-media-type': 'application/vnd.oci.image.config.v1+json',
      ...more,
    },
  });

  test('tell of pushes by tag, of the same digest under another tag, not of a push that changes nothing', async () => {
    const body = await manifestText('a');
    for (const tag of ['v1', 'v1', 'v2']) expect((await putManifest(tag, body)).status).toBe(201);
    expect(embedded.events).toEqual([
      pushed(digestOf(body), { 'image-tag': 'v1' }),
      pushed(digestOf(body), { 'image-tag': 'v2' }),
    ]);
  });

  test('tell of an index’s children without a tag, and of the index with it', async () => {
    const child = await manifestText('child');
    await putManifest(digestOf(child), child);
    const index = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestTypes.ociIndex,
      manifests: [{ mediaType: manifestTypes.ociManifest, digest: digestOf(child), size: child.length }],
    });
    await putManifest('v1', index, manifestTypes.ociIndex);
    const { 'artifact-media-type': _, ...detail } = pushed(digestOf(index), {
      'image-tag': 'v1',
      'manifest-media-type': manifestTypes.ociIndex,
    }).detail;
    expect(embedded.events).toEqual([
      pushed(digestOf(child), {}),
      { ...pushed(digestOf(index), {}), detail },
    ]);
    const refused = await errorOf(await send('DELETE', `/v2/web/manifests/${digestOf(child)}`));
    expect(refused).toMatchObject({ status: 403, code: 'DENIED' });
  });

  test('tell of deletions', async () => {
    const body = await manifestText('a');
    await putManifest('v1', body);
    await send('DELETE', '/v2/web/manifests/v1');
    expect(embedded.events.at(-1)).toEqual(
      pushed(digestOf(body), { 'action-type': 'DELETE', 'image-tag': 'v1' }),
    );
  });
});

test.each([
  { mutability: { imageTagMutability: 'IMMUTABLE' }, tag: 'v1', isRefused: true },
  { mutability: { imageTagMutability: 'MUTABLE' }, tag: 'v1', isRefused: false },
  {
    mutability: {
      imageTagMutability: 'IMMUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev-*' }],
    },
    tag: 'dev-1',
    isRefused: false,
  },
  {
    mutability: {
      imageTagMutability: 'MUTABLE_WITH_EXCLUSION',
      imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'release*' }],
    },
    tag: 'release-1',
    isRefused: true,
  },
] as const)(
  'with $mutability.imageTagMutability a second push of $tag is refused: $isRefused',
  async ({ mutability, tag, isRefused }) => {
    const { imageTagMutability } = mutability;
    const filters =
      'imageTagMutabilityExclusionFilters' in mutability
        ? [...mutability.imageTagMutabilityExclusionFilters]
        : [];
    embedded.registry.repository('web').mutability = {
      imageTagMutability,
      imageTagMutabilityExclusionFilters: filters,
    };
    await putManifest(tag, await manifestText('a'));
    const second = await putManifest(tag, await manifestText('b'));
    expect(second.status).toBe(isRefused ? 400 : 201);
    if (!isRefused) return;
    expect(await errorOf(second)).toMatchObject({
      code: 'TAG_INVALID',
      message: `The image tag '${tag}' already exists in the 'web' repository and cannot be overwritten because the tag is immutable.`,
    });
  },
);
