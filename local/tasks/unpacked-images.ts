/** Unpacked images on disk: each chain of layers once, whatever number of images and tasks share it. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Layer, PulledImage } from '../registry/image-store.ts';
import { removeTree } from './remove-tree.ts';
import { type OnNote, type UnpackLimits, unpackLayer } from './unpack-layer.ts';

const run = promisify(execFile);

export class UnpackedImages {
  readonly #folder: string;
  readonly #limits: UnpackLimits;
  readonly #onNote: OnNote;
  /** By the chain's key. A chain that failed is forgotten, so that the next task tries again. */
  readonly #chains = new Map<string, Promise<string>>();

  constructor(options: { folder: string; limits: UnpackLimits; onNote: OnNote }) {
    this.#folder = options.folder;
    this.#limits = options.limits;
    this.#onNote = options.onNote;
  }

  /** The folder with the image's files. Read-only for whoever uses it: others use it too. */
  async unpack(image: PulledImage): Promise<string> {
    try {
      return await this.#chain(image.layers);
    } catch (error) {
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(`CannotPullContainerError: ref pull has been retried 1 time(s): ${words}`, {
        cause: error,
      });
    }
  }

  #chain(layers: readonly Layer[]): Promise<string> {
    const key = createHash('sha256')
      .update(layers.map((layer) => layer.digest).join('\n'))
      .digest('hex');
    const known = this.#chains.get(key);
    if (known !== undefined) return known;
    const made = this.#make(join(this.#folder, key), layers);
    this.#chains.set(key, made);
    made.catch(() => this.#chains.delete(key));
    return made;
  }

  async #make(folder: string, layers: readonly Layer[]): Promise<string> {
    const top = layers.at(-1);
    if (top === undefined) {
      await mkdir(folder, { recursive: true });
      return folder;
    }
    const below = await this.#chain(layers.slice(0, -1));
    try {
      await mkdir(this.#folder, { recursive: true });
      // Hard links: the layers of a runtime are on disk and in memory once. unpackLayer replaces files, never writes into them.
      await run('cp', ['-al', below, folder]);
      await unpackLayer(top, folder, this.#limits, (note) => this.#onNote(`layer ${top.digest}: ${note}`));
    } catch (error) {
      await removeTree(folder);
      const words = error instanceof Error ? error.message : String(error);
      throw new Error(`failed to extract layer ${top.diffId ?? top.digest}: ${words}`, { cause: error });
    }
    return folder;
  }
}
