/** Blobs on disk by digest, and uploads on their way to becoming one. Content goes through, never into memory. */
import { createHash, type Hash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { isDigest } from './digest.ts';

export interface Blob {
  readonly digest: string;
  readonly size: number;
  readonly path: string;
}

/** The bytes that arrived are not those that were announced. */
export class DigestMismatch extends Error {}

interface Upload {
  readonly id: string;
  readonly path: string;
  readonly file: FileHandle;
  readonly hash: Hash;
  size: number;
  isReceiving: boolean;
}

export class BlobStore {
  readonly #folder: string;
  readonly #uploads = new Map<string, Upload>();

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async create(folder: string): Promise<BlobStore> {
    await mkdir(join(folder, 'sha256'), { recursive: true });
    await mkdir(join(folder, 'uploads'), { recursive: true });
    return new BlobStore(folder);
  }

  async find(digest: string): Promise<Blob | undefined> {
    if (!isDigest(digest)) return undefined;
    const path = this.#pathOf(digest);
    const stats = await stat(path).catch((error: unknown) => {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
      throw error;
    });
    return stats === undefined ? undefined : { digest, size: stats.size, path };
  }

  /** The blob's bytes, or those from `start` to `end`, both included. */
  read(blob: Blob, range?: { start: number; end: number }): Readable {
    return createReadStream(blob.path, range);
  }

  async startUpload(): Promise<string> {
    const id = randomUUID();
    const path = join(this.#folder, 'uploads', id);
    const file = await open(path, 'wx');
    this.#uploads.set(id, { id, path, file, hash: createHash('sha256'), size: 0, isReceiving: false });
    return id;
  }

  /** How many bytes have arrived; undefined when there is no such upload. */
  uploaded(id: string): number | undefined {
    return this.#uploads.get(id)?.size;
  }

  /** Appends what the source has. What arrived before a source broke off is kept: the client may go on from there. */
  async append(id: string, source: AsyncIterable<Buffer>): Promise<number> {
    const upload = this.#upload(id);
    if (upload.isReceiving) throw new Error(`upload ${id} is receiving a chunk already`);
    upload.isReceiving = true;
    try {
      for await (const chunk of source) {
        await upload.file.writeFile(chunk);
        upload.hash.update(chunk);
        upload.size += chunk.length;
      }
    } finally {
      upload.isReceiving = false;
    }
    return upload.size;
  }

  /** Makes the upload a blob. Rejects with `DigestMismatch`, and forgets the upload, when it is another than announced. */
  async finish(id: string, digest: string): Promise<Blob> {
    const upload = this.#upload(id);
    this.#uploads.delete(id);
    await upload.file.close();
    const actual = `sha256:${upload.hash.digest('hex')}`;
    if (actual !== digest) {
      await rm(upload.path);
      throw new DigestMismatch(`provided digest ${digest} did not match uploaded content ${actual}`);
    }
    const path = this.#pathOf(digest);
    await rename(upload.path, path);
    return { digest, size: upload.size, path };
  }

  async cancel(id: string): Promise<void> {
    const upload = this.#upload(id);
    this.#uploads.delete(id);
    await upload.file.close();
    await rm(upload.path);
  }

  async close(): Promise<void> {
    for (const upload of this.#uploads.values()) await upload.file.close();
    this.#uploads.clear();
    await rm(this.#folder, { recursive: true, force: true });
  }

  #upload(id: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload === undefined) throw new Error(`no upload ${id}`);
    return upload;
  }

  #pathOf(digest: string): string {
    return join(this.#folder, digest.replace(':', '/'));
  }
}
