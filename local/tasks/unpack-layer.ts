/**
 * Applies one layer's tar to a folder by the rules of the OCI image spec (layer.md): later entries replace earlier
 * ones, `.wh.` files remove. Nothing is ever written outside the folder: parents are resolved as inside it, the last
 * component is removed and made anew, never followed.
 */
import { chmod, link, lstat, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { type Extract, extract, type Header } from 'tar-stream';
import type { Layer } from '../registry/image-store.ts';
import { layerTar } from './layer-stream.ts';
import { ifAbsent, resolveInRoot } from './rooted-path.ts';

/** What one layer may come to on this machine: far above real images, far below what a hostile one could claim. */
export interface UnpackLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export const defaultUnpackLimits: UnpackLimits = { maxEntries: 500_000, maxBytes: 8 * 1024 ** 3 };

/** What was left out of an image, in words. */
export type OnNote = (note: string) => void;

type Entry = Extract extends AsyncIterable<infer E> ? E : never;

const whiteoutPrefix = '.wh.';
const opaqueWhiteout = '.wh..wh..opq';

/** Applies `layer` to the tree at `root`, which holds the layers below it. */
export async function unpackLayer(
  layer: Layer,
  root: string,
  limits: UnpackLimits,
  onNote: OnNote,
): Promise<void> {
  const tar = extract();
  // What went wrong with the tar itself; whoever reads an entry then only sees that its stream is gone.
  let failure: unknown;
  tar.once('error', (error) => (failure = error));
  const closed = new Promise((resolve) => tar.once('close', () => resolve(undefined)));
  const both = [feed(tar, layer, limits), apply(tar, new LayerTarget(root, onNote), limits)];
  try {
    await Promise.all(both);
  } catch (error) {
    await Promise.allSettled([...both, closed]);
    throw failure ?? error;
  }
}

async function feed(tar: Extract, layer: Layer, limits: UnpackLimits): Promise<void> {
  try {
    for await (const chunk of layerTar(layer, limits)) {
      if (!tar.write(chunk)) await writable(tar);
      if (tar.destroyed) return;
    }
    tar.end(undefined);
  } catch (error) {
    tar.destroy(error instanceof Error ? error : new Error(String(error)));
    throw error;
  }
}

/** Resolves when more may be written, or when nobody reads any more. */
function writable(tar: Extract): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      tar.off('drain', go).off('close', go);
      resolve();
    };
    tar.on('drain', go).on('close', go);
  });
}

async function apply(tar: Extract, target: LayerTarget, limits: UnpackLimits): Promise<void> {
  let entries = 0;
  try {
    for await (const entry of tar) {
      entries += 1;
      if (entries > limits.maxEntries) throw new Error(`layer has more than ${limits.maxEntries} entries`);
      await target.apply(entry);
    }
  } finally {
    tar.destroy();
  }
}

class LayerTarget {
  readonly #root: string;
  readonly #onNote: OnNote;
  /** Host paths that this layer made, and their parents: an opaque whiteout removes only what lies below the layer. */
  readonly #made = new Set<string>();

  constructor(root: string, onNote: OnNote) {
    this.#root = root;
    this.#onNote = onNote;
  }

  async apply(entry: Entry): Promise<void> {
    const { header } = entry;
    const path = await this.#place(header.name);
    if (path === undefined) entry.resume();
    else if (basename(path).startsWith(whiteoutPrefix)) {
      await this.#remove(path);
      entry.resume();
    } else await this.#make(path, header, entry);
  }

  /** Where an entry goes on the host; undefined for the root itself. Its parents are made when they are missing. */
  async #place(name: string): Promise<string | undefined> {
    const names = name.split('/').filter((component) => component !== '' && component !== '.');
    if (names.includes('..'))
      throw new Error(`invalid tar entry: ${JSON.stringify(name)} is outside of the image`);
    const last = names.pop();
    if (last === undefined) return undefined;
    const parent = await resolveInRoot(this.#root, names.join('/'));
    await this.#makeParents(parent);
    return join(parent, last);
  }

  async #makeParents(parent: string): Promise<void> {
    const existing = await lstat(parent).catch(ifAbsent);
    if (existing === undefined) {
      if (parent !== this.#root) await this.#makeParents(dirname(parent));
      await mkdir(parent, { mode: 0o755 });
    } else if (!existing.isDirectory()) {
      throw new Error(`invalid tar entry: /${relative(this.#root, parent)} is not a directory`);
    }
  }

  async #remove(whiteout: string): Promise<void> {
    const parent = dirname(whiteout);
    const name = basename(whiteout);
    if (name === opaqueWhiteout) {
      await this.#removeLower(parent);
      return;
    }
    const removed = name.slice(whiteoutPrefix.length);
    // `.wh..wh.…` are AUFS's own records; `.wh..` and `.wh...` would name the folder itself and its parent.
    if (removed.startsWith(whiteoutPrefix)) return;
    if (removed === '' || removed === '.' || removed === '..') {
      throw new Error(`invalid whiteout: ${JSON.stringify(name)}`);
    }
    const path = join(parent, removed);
    if (!this.#made.has(path)) await rm(path, { recursive: true, force: true });
  }

  async #removeLower(folder: string): Promise<void> {
    for (const child of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, child.name);
      if (!this.#made.has(path)) await rm(path, { recursive: true, force: true });
      else if (child.isDirectory()) await this.#removeLower(path);
    }
  }

  async #make(path: string, header: Header, entry: Entry): Promise<void> {
    const mode = header.mode & 0o7777;
    const existing = await lstat(path).catch(ifAbsent);
    const isDirectory = header.type === 'directory';
    if (existing !== undefined && !(isDirectory && existing.isDirectory())) {
      await rm(path, { recursive: true, force: true });
    }
    switch (header.type) {
      case 'directory':
        if (existing?.isDirectory() !== true) await mkdir(path);
        // Layers above must be able to write here, and the owner of the unpacked tree is not always root.
        await chmod(path, mode | 0o700);
        break;
      case 'symlink':
        await symlink(header.linkname, path);
        break;
      case 'link':
        await link(await this.#linked(header), path);
        break;
      case 'file':
      case 'contiguous-file':
        await writeFile(path, entry as AsyncIterable<Buffer>, { flag: 'wx', mode: 0o600 });
        await chmod(path, mode);
        break;
      case 'block-device':
      case 'character-device':
      case 'fifo':
        this.#onNote(`left out /${relative(this.#root, path)}: a ${header.type}`);
        entry.resume();
        return;
    }
    this.#remember(path);
    if (header.type !== 'file' && header.type !== 'contiguous-file') entry.resume();
  }

  async #linked(header: Header): Promise<string> {
    const name = header.linkname;
    if (name.split('/').includes('..')) {
      throw new Error(`invalid hard link: ${header.name} -> ${name} is outside of the image`);
    }
    const target = await resolveInRoot(this.#root, name, { followLast: false });
    const stats = await lstat(target).catch(ifAbsent);
    if (stats === undefined || stats.isDirectory()) {
      throw new Error(`invalid hard link: ${header.name} -> ${name}: no such file`);
    }
    return target;
  }

  #remember(path: string): void {
    for (let at = path; at.length > this.#root.length && !this.#made.has(at); at = dirname(at))
      this.#made.add(at);
  }
}
