import { rm, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { digestOf } from '../../local/registry/digest.ts';
import { type Manifest, manifestTypes, parseManifest } from '../../local/registry/manifest.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';

const here = process.arch === 'x64' ? 'amd64' : process.arch;
const elsewhere = here === 'arm64' ? 'amd64' : 'arm64';
const retried = 'CannotPullContainerError: pull image manifest has been retried 1 time(s): ';
const refRetried = 'CannotPullContainerError: ref pull has been retried 1 time(s): ';

let embedded: EmbeddedRegistry;

beforeEach(async () => {
  embedded = await EmbeddedRegistry.start('web');
});
afterEach(async () => {
  await embedded.close();
});

function push(tag: string, architecture = here): Promise<string> {
  return pushImage(
    {
      layers: [{ '/app': { content: `${tag} for ${architecture}` } }],
      config: { Cmd: ['/app'] },
      architecture,
    },
    { registry: embedded.url, repository: 'web', tag },
  );
}

function put(content: object, tag: string): Manifest {
  const manifest = parseManifest(Buffer.from(JSON.stringify(content)));
  embedded.registry.putImage('web', manifest, tag);
  return manifest;
}

const descriptor = (digest: string, architecture: string, os = 'linux') => ({
  mediaType: manifestTypes.ociManifest,
  digest,
  size: 1,
  platform: { os, architecture },
});

test('an image is found by tag, by digest, and by digest whatever its tag', async () => {
  const digest = await push('v1');
  for (const reference of ['web:v1', `web@${digest}`, `web:moved@${digest}`]) {
    const pulled = await embedded.images.pull(embedded.uri(reference));
    expect(pulled).toMatchObject({ repository: 'web', digest, config: { Cmd: ['/app'] } });
    expect(pulled.layers).toHaveLength(1);
  }
});

test('an index leads to the image for this machine', async () => {
  const [own, other] = [await push('own'), await push('other', elsewhere)];
  const manifests = [
    descriptor(other, elsewhere),
    descriptor(own, 'unknown', 'unknown'),
    descriptor(own, here),
  ];
  put({ schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests }, 'v1');
  expect((await embedded.images.pull(embedded.uri('web:v1'))).digest).toBe(own);
});

test('an image for another machine is refused in Fargate’s words', async () => {
  const other = await push('other', elsewhere);
  put(
    { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests: [descriptor(other, elsewhere)] },
    'index',
  );
  const words = `${retried}image Manifest does not contain descriptor matching platform 'linux/${here}'`;
  await expect(embedded.images.pull(embedded.uri('web:other'))).rejects.toThrow(words);
  await expect(embedded.images.pull(embedded.uri('web:index'))).rejects.toThrow(words);
});

test.each(['web:nope', `web@sha256:${'0'.repeat(64)}`, 'nope:v1', 'web'])(
  '%s is not found',
  async (reference) => {
    const uri = embedded.uri(reference);
    await expect(embedded.images.pull(uri)).rejects.toThrow(
      `${retried}failed to resolve ref ${uri}: ${uri}: not found`,
    );
  },
);

test('a damaged image says what is wrong with it', async () => {
  const digest = await push('v1');
  const { config, layers } = embedded.registry.repository('web').get({ digest }).manifest;
  const pull = () => embedded.images.pull(embedded.uri('web:v1'));
  const configBlob = await embedded.registry.blobs.find(config?.digest ?? '');
  const layer = await embedded.registry.blobs.find(layers[0]?.digest ?? '');

  await rm(layer?.path ?? '');
  await expect(pull()).rejects.toThrow(
    `${refRetried}failed to copy: httpReadSeeker: failed open: content at ${layer?.digest}`,
  );
  await writeFile(configBlob?.path ?? '', '{}');
  await expect(pull()).rejects.toThrow(
    `${refRetried}unexpected commit digest ${digestOf(Buffer.from('{}'))}`,
  );
});

test.each<[string, string, string]>([
  ['no JSON', '{', `${refRetried}Expected property name`],
  ['no object', '[]', `${refRetried}image configuration is not a JSON object`],
  [
    'other layers',
    JSON.stringify({ os: 'linux', architecture: here, rootfs: { diff_ids: ['sha256:1'] } }),
    `${refRetried}number of layers and diffIDs don't match: 0 != 1`,
  ],
  [
    'a command that is no list',
    JSON.stringify({ os: 'linux', architecture: here, config: { Cmd: 'app' } }),
    'cannot unmarshal Cmd',
  ],
])('a configuration with %s is refused', async (_case, content, words) => {
  const bytes = Buffer.from(content);
  const id = await embedded.registry.blobs.startUpload();
  await embedded.registry.blobs.append(
    id,
    (async function* () {
      yield bytes;
    })(),
  );
  await embedded.registry.blobs.finish(id, digestOf(bytes));
  embedded.registry.repository('web').blobs.add(digestOf(bytes));
  const config = {
    mediaType: 'application/vnd.oci.image.config.v1+json',
    digest: digestOf(bytes),
    size: bytes.length,
  };
  put({ schemaVersion: 2, mediaType: manifestTypes.ociManifest, config, layers: [] }, 'v1');
  await expect(embedded.images.pull(embedded.uri('web:v1'))).rejects.toThrow(words);
});

test('a pull is recorded', async () => {
  const digest = await push('v1');
  await embedded.clock.advance(5_000);
  await embedded.images.pull(embedded.uri('web:v1'));
  expect(embedded.registry.repository('web').get({ digest }).lastPulledAt).toBe(embedded.clock.now());
});
