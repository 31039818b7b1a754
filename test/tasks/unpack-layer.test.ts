import { link, lstat, mkdir, mkdtemp, readlink, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { defaultUnpackLimits, unpackLayer } from '../../local/tasks/unpack-layer.ts';
import { layerOf, type TarEntry, tarOf, tree } from './layers.ts';

let folder: string;
let root: string;
let notes: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unpack-test-'));
  root = join(folder, 'root');
  await mkdir(root);
  notes = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function unpack(entries: readonly TarEntry[], limits = defaultUnpackLimits): Promise<void> {
  await unpackLayer(await layerOf(folder, await tarOf(entries)), root, limits, (note) => notes.push(note));
}

describe('a layer', () => {
  test('becomes files, folders, links with their modes, and no owners', async () => {
    await unpack([
      { name: './' },
      { name: 'app/', mode: 0o750 },
      { name: 'app/server', mode: 0o755, uid: 4_711, content: 'x' },
      { name: 'deep/er/file', content: 'y' },
      { name: 'bin', type: 'symlink', linkname: '/app', content: '' },
      { name: 'app/copy', type: 'link', linkname: 'app/server', content: '' },
    ]);
    expect(await tree(root)).toEqual({
      'app/': '',
      'app/server': 'x',
      'app/copy': 'x',
      bin: 'link',
      'deep/': '',
      'deep/er/': '',
      'deep/er/file': 'y',
    });
    expect((await stat(join(root, 'app'))).mode & 0o777).toBe(0o750);
    const server = await stat(join(root, 'app/server'));
    expect(server.mode & 0o777).toBe(0o755);
    expect(server.uid).toBe(process.getuid?.());
    expect((await stat(join(root, 'app/copy'))).ino).toBe(server.ino);
    expect(await readlink(join(root, 'bin'))).toBe('/app');
  });

  test.each([
    ['as tar', 'tar', (tar: Buffer) => tar],
    ['as gzip', 'tar+gzip', (tar: Buffer) => gzipSync(tar)],
    ['as zstd', 'tar+zstd', (tar: Buffer) => zstdCompressSync(tar)],
  ])('is read %s', async (_case, suffix, encode) => {
    const mediaType = `application/vnd.oci.image.layer.v1.${suffix}`;
    const layer = await layerOf(folder, await tarOf([{ name: 'a', content: 'x'.repeat(100_000) }]), {
      mediaType,
      encode,
    });
    await unpackLayer(layer, root, defaultUnpackLimits, (note) => notes.push(note));
    expect((await stat(join(root, 'a'))).size).toBe(100_000);
  });

  test('replaces what lies below, without writing into files that others share', async () => {
    const shared = join(folder, 'shared');
    await writeFile(shared, 'other image');
    await link(shared, join(root, 'file'));
    await mkdir(join(root, 'folder/inner'), { recursive: true });
    await unpack([
      { name: 'file', content: 'new' },
      { name: 'folder', content: 'now a file' },
      { name: 'file2/', mode: 0o755 },
    ]);
    expect(await tree(root)).toEqual({ file: 'new', folder: 'now a file', 'file2/': '' });
    expect(await tree(folder)).toMatchObject({ shared: 'other image' });
  });

  test('removes by whiteouts what lies below, not what it brings itself', async () => {
    await mkdir(join(root, 'gone/inner'), { recursive: true });
    await mkdir(join(root, 'opaque/old'), { recursive: true });
    await mkdir(join(root, 'opaque/both'), { recursive: true });
    for (const name of ['file', 'opaque/a', 'opaque/both/b', 'stays'])
      await writeFile(join(root, name), 'old');
    await unpack([
      { name: 'opaque/new', content: 'new' },
      { name: 'opaque/both/c', content: 'new' },
      { name: 'opaque/.wh..wh..opq', content: '' },
      { name: '.wh.gone', content: '' },
      { name: '.wh.file', content: '' },
      { name: '.wh..wh.plnk', content: '' },
      { name: '.wh.never-was', content: '' },
    ]);
    expect(await tree(root)).toEqual({
      'opaque/': '',
      'opaque/new': 'new',
      'opaque/both/': '',
      'opaque/both/c': 'new',
      stays: 'old',
    });
  });

  test('leaves out devices and pipes, and says so', async () => {
    await unpack([
      { name: 'dev/null', type: 'character-device', devmajor: 1, devminor: 3, content: '' },
      { name: 'pipe', type: 'fifo', content: '' },
      { name: 'after', content: 'x' },
    ]);
    expect(await tree(root)).toEqual({ 'dev/': '', after: 'x' });
    expect(notes).toEqual(['left out /dev/null: a character-device', 'left out /pipe: a fifo']);
  });
});

describe('nothing is written outside of the root', () => {
  test.each<[string, TarEntry[], string]>([
    ['a path that climbs', [{ name: '../out', content: 'x' }], 'is outside of the image'],
    ['a path that climbs in the middle', [{ name: 'a/../../out', content: 'x' }], 'is outside of the image'],
    [
      'a hard link that climbs',
      [{ name: 'a', type: 'link', linkname: '../secret', content: '' }],
      'is outside of the image',
    ],
    [
      'a hard link to a file of this machine',
      [{ name: 'a', type: 'link', linkname: '/etc/hostname', content: '' }],
      'no such file',
    ],
    ['a whiteout of the parent', [{ name: 'a/.wh...', content: '' }], 'invalid whiteout'],
    ['a whiteout of the folder itself', [{ name: 'a/.wh..', content: '' }], 'invalid whiteout'],
    [
      'a file below a file',
      [
        { name: 'a', content: 'x' },
        { name: 'a/b', content: 'x' },
      ],
      '/a is not a directory',
    ],
  ])('%s is refused', async (_case, entries, words) => {
    await writeFile(join(folder, 'secret'), 'secret');
    await expect(unpack(entries)).rejects.toThrow(words);
    expect(await tree(folder)).not.toHaveProperty('out');
    expect((await lstat(join(folder, 'secret'))).nlink).toBe(1);
  });

  test('an absolute path begins at the root', async () => {
    await unpack([{ name: '/etc/app', content: 'x' }]);
    expect(await tree(root)).toEqual({ 'etc/': '', 'etc/app': 'x' });
  });

  test('a link out of the root leads back into it', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await unpack([
      { name: 'absolute', type: 'symlink', linkname: outside, content: '' },
      { name: 'climbing', type: 'symlink', linkname: '../../../outside', content: '' },
      { name: 'absolute/a', content: 'x' },
      { name: 'climbing/b', content: 'x' },
      { name: 'file', type: 'symlink', linkname: `${outside}/c`, content: '' },
      { name: 'file', content: 'replaces the link' },
      { name: 'absolute/.wh.a2', content: '' },
    ]);
    expect(await tree(outside)).toEqual({});
    expect(await tree(root)).toMatchObject({
      [`${outside.slice(1)}/a`]: 'x',
      'outside/b': 'x',
      file: 'replaces the link',
    });
  });

  test('a link of the layer below is not followed by a whiteout or a file', async () => {
    const outside = join(folder, 'outside');
    await mkdir(outside);
    await writeFile(join(outside, 'kept'), 'kept');
    await symlink(outside, join(root, 'link'));
    await unpack([
      { name: 'link/.wh.kept', content: '' },
      { name: 'link/.wh..wh..opq', content: '' },
      { name: 'link', content: 'a file now' },
    ]);
    expect(await tree(outside)).toEqual({ kept: 'kept' });
  });

  test('a loop of links is an error, not an endless walk', async () => {
    const loop = [
      { name: 'a', type: 'symlink', linkname: 'b', content: '' },
      { name: 'b', type: 'symlink', linkname: 'a', content: '' },
      { name: 'a/file', content: 'x' },
    ] as const;
    await expect(unpack(loop)).rejects.toThrow('too many levels of symbolic links');
  });
});

describe('what does not hold what it promises is refused', () => {
  const entries = [{ name: 'a', content: 'x'.repeat(50_000) }];

  test.each([
    ['gzip', 'incorrect header check'],
    ['zstd', 'Unknown frame descriptor'],
  ])('a blob that is no %s', async (suffix, words) => {
    const layer = await layerOf(folder, await tarOf(entries), {
      mediaType: `application/vnd.oci.image.layer.v1.tar+${suffix}`,
    });
    await expect(unpackLayer(layer, root, defaultUnpackLimits, () => undefined)).rejects.toThrow(words);
  });

  test('a gzip that breaks off', async () => {
    const mediaType = 'application/vnd.docker.image.rootfs.diff.tar.gzip';
    const layer = await layerOf(folder, await tarOf(entries), {
      mediaType,
      encode: (tar) => gzipSync(tar).subarray(0, 90),
    });
    await expect(unpackLayer(layer, root, defaultUnpackLimits, () => undefined)).rejects.toThrow(
      'unexpected end of file',
    );
  });

  test('a tar that breaks off', async () => {
    const tar = (await tarOf(entries)).subarray(0, 10_000);
    await expect(
      unpackLayer(await layerOf(folder, tar), root, defaultUnpackLimits, () => undefined),
    ).rejects.toThrow('Unexpected end of data');
  });

  test('another tar than the configuration names', async () => {
    const diffId = `sha256:${'0'.repeat(64)}`;
    const layer = await layerOf(folder, await tarOf(entries), { diffId });
    await expect(unpackLayer(layer, root, defaultUnpackLimits, () => undefined)).rejects.toThrow(
      /^wrong diff id calculated on extraction "sha256:[0-9a-f]{64}"$/,
    );
  });

  test('more bytes than fit', async () => {
    await expect(unpack(entries, { maxEntries: 10, maxBytes: 40_000 })).rejects.toThrow(
      'more than 40000 bytes',
    );
  });

  test('more entries than anyone needs', async () => {
    const many = Array.from({ length: 11 }, (_, index) => ({ name: `f${index}`, content: '' }));
    await expect(unpack(many, { maxEntries: 10, maxBytes: 1e6 })).rejects.toThrow('more than 10 entries');
  });
});
