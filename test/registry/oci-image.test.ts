/** Pushing an image from files. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { pushImage } from '../../local/registry/oci-image.ts';
import { EmbeddedRegistry } from './embedded-registry.ts';

let embedded: EmbeddedRegistry;
let folder: string;

beforeEach(async () => {
  embedded = await EmbeddedRegistry.start('web', 'shop');
  folder = await mkdtemp(join(tmpdir(), 'oci-image-test-'));
});
afterEach(async () => {
  await embedded.close();
  await rm(folder, { recursive: true, force: true });
});

test('a layer that was pushed before is neither read nor sent again; a repository that lacks it gets it', async () => {
  const from = join(folder, 'app');
  await writeFile(from, 'as it was');
  const layer = { '/app': { from } };
  const push = (repository: string, tag: string) =>
    pushImage(
      { layers: [layer], config: { Env: [`TAG=${tag}`] } },
      { registry: embedded.url, repository, tag },
    );
  const layersOf = async (reference: string) =>
    (await embedded.images.pull(embedded.uri(reference))).layers.map(({ digest }) => digest);

  await push('web', 'v1');
  await push('shop', 'v1');
  await rm(from);
  await push('web', 'v2');
  expect(await layersOf('web:v2')).toEqual(await layersOf('web:v1'));
  expect(await layersOf('shop:v1')).toEqual(await layersOf('web:v1'));
  // Gone with the file: another object with the same name is another layer.
  await expect(
    pushImage(
      { layers: [{ '/app': { from } }], config: {} },
      { registry: embedded.url, repository: 'web', tag: 'v3' },
    ),
  ).rejects.toThrow('ENOENT');
});
