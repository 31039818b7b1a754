import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOf } from '../../local/registry/digest.ts';
import { pushImage } from '../../local/registry/oci-image.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';

const run = promisify(execFile);

function missingSkopeo(): string | undefined {
  try {
    execFileSync('skopeo', ['--version'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'skopeo is not installed';
  }
}

const missing = missingSkopeo();

describe.skipIf(missing !== undefined)(
  `skopeo${missing === undefined ? '' : ` (skipped: ${missing})`}`,
  () => {
    let embedded: EmbeddedRegistry;
    let folder: string;
    let pushed: string;

    const skopeo = async (...args: string[]): Promise<string> =>
      (await run('skopeo', ['--insecure-policy', ...args])).stdout;
    const remote = (reference: string): string => `docker://127.0.0.1:${embedded.port}/${reference}`;
    const copy = (from: string, to: string, ...options: string[]): Promise<string> =>
      skopeo('copy', '--src-tls-verify=false', '--dest-tls-verify=false', ...options, from, to);
    const pushes = (repository: string): unknown[] =>
      embedded.events
        .map((event) => event.detail as Record<string, unknown>)
        .filter((detail) => detail['repository-name'] === repository)
        .map((detail) => [detail['action-type'], detail['image-tag'], detail['manifest-media-type']]);

    beforeEach(async () => {
      embedded = await EmbeddedRegistry.start('web', 'copy');
      folder = await mkdtemp(join(tmpdir(), 'skopeo-test-'));
      pushed = await pushImage(
        {
          layers: [
            { '/big': { content: Buffer.alloc(3_000_000, 'layer ') } },
            { '/app.js': { content: 'v1' } },
          ],
          config: { Cmd: ['/app.js'] },
        },
        { registry: embedded.url, repository: 'web', tag: 'v1' },
      );
    });
    afterEach(async () => {
      await embedded.close();
      await rm(folder, { recursive: true });
    });

    test('pulls an image and pushes it back byte for byte, logged in with ECR’s token', async () => {
      // Else skopeo compresses layers on the way.
      await copy(remote('web:v1'), `oci:${folder}/layout:v1`, '--preserve-digests');
      await copy(
        `oci:${folder}/layout:v1`,
        remote('copy:v1'),
        '--preserve-digests',
        '--dest-creds=AWS:token',
      );
      expect(pushes('copy')).toEqual([['PUSH', 'v1', 'application/vnd.oci.image.manifest.v1+json']]);
      const digest = await skopeo('inspect', '--tls-verify=false', '--format={{.Digest}}', remote('copy:v1'));
      expect(digest.trim()).toBe(pushed);
      await copy(remote('copy:v1'), `dir:${folder}/dir`);
      const manifest = await readFile(join(folder, 'dir/manifest.json'));
      expect(digestOf(manifest)).toBe(pushed);
      const { layers } = JSON.parse(manifest.toString()) as { layers: { digest: string }[] };
      for (const layer of layers) {
        expect(digestOf(await readFile(join(folder, 'dir', layer.digest.slice('sha256:'.length))))).toBe(
          layer.digest,
        );
      }
    });

    test('pushes a docker archive in Docker’s own manifest', async () => {
      await copy(remote('web:v1'), `docker-archive:${folder}/image.tar:web:v1`);
      await copy(`docker-archive:${folder}/image.tar`, remote('copy:v1'), '--format=v2s2');
      expect(pushes('copy')).toEqual([
        ['PUSH', 'v1', 'application/vnd.docker.distribution.manifest.v2+json'],
      ]);
      const pulled = await embedded.images.pull(embedded.uri('copy:v1'));
      expect(pulled.config.Cmd).toEqual(['/app.js']);
      expect(pulled.layers.every((layer) => layer.mediaType.endsWith('tar.gzip'))).toBe(true);
    });

    test('copies from one repository to another', async () => {
      await copy(remote('web:v1'), remote('copy:v1'), '--preserve-digests');
      expect(await skopeo('list-tags', '--tls-verify=false', remote('copy'))).toContain('"v1"');
      expect((await embedded.images.pull(embedded.uri('copy:v1'))).digest).toBe(pushed);
    });

    test('deletes', async () => {
      await skopeo('delete', '--tls-verify=false', remote('web:v1'));
      expect(pushes('web').at(-1)).toEqual(['DELETE', 'v1', 'application/vnd.oci.image.manifest.v1+json']);
    });

    test('is told why a tag cannot be pushed again', async () => {
      embedded.registry.repository('copy').mutability = { imageTagMutability: 'IMMUTABLE' };
      await copy(remote('web:v1'), remote('copy:v1'));
      await expect(copy(remote('web:v1'), remote('copy:v1'))).rejects.toThrow('because the tag is immutable');
    });

    test('is told that a repository was not created', async () => {
      await expect(copy(remote('web:v1'), remote('nope:v1'))).rejects.toThrow(
        "The repository with name 'nope' does not exist",
      );
    });
  },
);
