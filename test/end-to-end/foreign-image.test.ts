/** Images that the project did not make, pushed and pulled by a client that it did not make. */
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { World } from './world.ts';

const busybox = '/bin/busybox';

function reasonToSkip(): string | undefined {
  try {
    execFileSync('skopeo', ['--version'], { stdio: 'ignore' });
  } catch {
    return 'skopeo is not installed';
  }
  return existsSync(busybox) ? undefined : 'busybox-static is not installed';
}

const missing = reasonToSkip();

describe.skipIf(missing !== undefined)(
  `busybox pushed by skopeo${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let world: World;
    let folder: string;

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'foreign-image-'));
      world = await World.create();
    });
    afterAll(async () => {
      await rm(folder, { recursive: true, force: true });
      await world?.close();
    });

    const skopeo = async (...args: string[]): Promise<void> => {
      await promisify(execFile)('skopeo', ['--insecure-policy', ...args]);
    };
    const registry = (tag: string): string => `docker://${new URL(world.aws.endpoint).host}/web:${tag}`;

    /** `what` is done by a client outside: until then no time passes for a deployment. */
    const goesLive = async (tag: string, what: () => Promise<void>): Promise<void> => {
      const outcome = world.watch.outcomeOf(`web:${tag}`);
      await what();
      expect(await outcome).toMatchObject({ outcome: 'live' });
    };

    it('a docker archive goes live and answers through the load balancer', async () => {
      const archive = join(folder, 'image.tar');
      await writeFile(archive, await dockerArchive('first'));
      await goesLive('v1', () =>
        skopeo('copy', '--dest-tls-verify=false', `docker-archive:${archive}`, registry('v1')),
      );
      const answer = await fetch(world.site);
      expect({ status: answer.status, body: await answer.text() }).toEqual({ status: 200, body: 'first\n' });
    });

    it('an OCI layout takes over from it step by step, and is pulled back byte for byte', async () => {
      const made = await ociLayout('second', join(folder, 'layout'));
      await goesLive('v2', () =>
        skopeo(
          'copy',
          '--preserve-digests',
          '--dest-tls-verify=false',
          `oci:${join(folder, 'layout')}:v2`,
          registry('v2'),
        ),
      );
      expect(await (await fetch(world.site)).text()).toBe('second\n');
      expect((await world.item()).live?.digest).toBe(made.manifest.digest);

      await skopeo('copy', '--src-tls-verify=false', registry('v2'), `dir:${join(folder, 'pulled')}`);
      expect(await readFile(join(folder, 'pulled/manifest.json'))).toEqual(made.manifest.bytes);
      for (const { digest, bytes } of made.blobs) {
        const pulled = await readFile(join(folder, 'pulled', digest.slice('sha256:'.length)));
        expect(pulled.equals(bytes)).toBe(true);
      }
    });
  },
);

async function tar(
  files: Readonly<Record<string, { readonly content: Buffer; readonly mode?: number }>>,
): Promise<Buffer> {
  const archive = pack();
  for (const [name, { content, mode = 0o644 }] of Object.entries(files))
    archive.entry({ name, mode }, content);
  archive.finalize();
  return buffer(archive);
}

async function layerOf(words: string): Promise<Buffer> {
  const page = Buffer.from(`${words}\n`);
  return tar({
    'bin/busybox': { content: await readFile(busybox), mode: 0o755 },
    'www/index.html': { content: page },
    'www/health': { content: page },
  });
}

function configOf(layer: Buffer): Buffer {
  return Buffer.from(
    JSON.stringify({
      architecture: process.arch === 'x64' ? 'amd64' : process.arch,
      os: 'linux',
      config: { Entrypoint: [busybox, 'httpd', '-f', '-p', '8080', '-h', '/www'] },
      rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    }),
  );
}

/** As `docker save` writes it. */
async function dockerArchive(words: string): Promise<Buffer> {
  const layer = await layerOf(words);
  const manifest = [{ Config: 'config.json', RepoTags: ['example/busybox:1'], Layers: ['layer.tar'] }];
  return tar({
    'manifest.json': { content: Buffer.from(JSON.stringify(manifest)) },
    'config.json': { content: configOf(layer) },
    'layer.tar': { content: layer },
  });
}

interface Blob {
  readonly digest: string;
  readonly bytes: Buffer;
}

/** https://github.com/opencontainers/image-spec/blob/main/image-layout.md */
async function ociLayout(
  words: string,
  folder: string,
): Promise<{ readonly manifest: Blob; readonly blobs: readonly Blob[] }> {
  const layer = await layerOf(words);
  const config = configOf(layer);
  const type = 'application/vnd.oci.image';
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: `${type}.manifest.v1+json`,
      config: descriptor(config, `${type}.config.v1+json`),
      layers: [descriptor(layer, `${type}.layer.v1.tar`)],
    }),
  );
  const index = {
    schemaVersion: 2,
    manifests: [
      {
        ...descriptor(manifest, `${type}.manifest.v1+json`),
        annotations: { 'org.opencontainers.image.ref.name': 'v2' },
      },
    ],
  };
  await mkdir(join(folder, 'blobs/sha256'), { recursive: true });
  await writeFile(join(folder, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  await writeFile(join(folder, 'index.json'), JSON.stringify(index));
  const blobs = [layer, config].map((bytes) => ({ digest: digestOf(bytes), bytes }));
  const own = { digest: digestOf(manifest), bytes: manifest };
  for (const { digest, bytes } of [...blobs, own])
    await writeFile(join(folder, 'blobs', digest.replace(':', '/')), bytes);
  return { manifest: own, blobs };
}

function descriptor(bytes: Buffer, mediaType: string): object {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
