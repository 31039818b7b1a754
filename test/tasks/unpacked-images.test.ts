import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Layer, PulledImage } from '../../local/registry/image-store.ts';
import { defaultUnpackLimits } from '../../local/tasks/unpack-layer.ts';
import { UnpackedImages } from '../../local/tasks/unpacked-images.ts';
import { layerOf, tarOf, tree } from './layers.ts';

let folder: string;
let images: UnpackedImages;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unpacked-test-'));
  images = new UnpackedImages({
    folder: join(folder, 'images'),
    limits: defaultUnpackLimits,
    onNote: () => undefined,
  });
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

const image = (...layers: Layer[]): PulledImage => ({
  repository: 'web',
  digest: 'sha256:0',
  config: {},
  layers,
});

test('two versions share the files of their common layers, and only those', async () => {
  const runtime = await layerOf(folder, await tarOf([{ name: 'bin/node', content: 'runtime' }]));
  const [v1, v2] = [
    await layerOf(folder, await tarOf([{ name: 'app.js', content: 'v1' }])),
    await layerOf(
      folder,
      await tarOf([
        { name: 'app.js', content: 'v2' },
        { name: 'bin/.wh.node', content: '' },
        { name: 'bin/bun', content: 'b' },
      ]),
    ),
  ];
  const [first, again, second] = await Promise.all([
    images.unpack(image(runtime, v1)),
    images.unpack(image(runtime, v1)),
    images.unpack(image(runtime, v2)),
  ]);
  expect(again).toBe(first);
  expect(await tree(first)).toEqual({ 'bin/': '', 'bin/node': 'runtime', 'app.js': 'v1' });
  expect(await tree(second)).toEqual({ 'bin/': '', 'bin/bun': 'b', 'app.js': 'v2' });
  const base = await images.unpack(image(runtime));
  expect((await stat(join(base, 'bin/node'))).ino).toBe((await stat(join(first, 'bin/node'))).ino);
});

test('a layer that cannot be unpacked is an error in ECS’s words, leaves nothing, and is tried again', async () => {
  const layer = await layerOf(folder, await tarOf([{ name: 'a', content: 'x' }]));
  const good = await tarOf([{ name: 'a', content: 'x' }]);
  await writeFile(layer.path, 'damaged');
  const failed = images.unpack(image(layer));
  await expect(failed).rejects.toThrow(
    `CannotPullContainerError: ref pull has been retried 1 time(s): failed to extract layer ${layer.diffId}: `,
  );
  expect(await readdir(join(folder, 'images'))).toHaveLength(1);
  await writeFile(layer.path, good);
  expect(await tree(await images.unpack(image(layer)))).toEqual({ a: 'x' });
});
