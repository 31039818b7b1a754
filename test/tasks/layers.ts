import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Header, pack } from 'tar-stream';
import type { Layer } from '../../local/registry/image-store.ts';

/** A tar entry: its header, with what a file holds. */
export type TarEntry = Partial<Header> & Pick<Header, 'name'> & { readonly content?: string };

export async function tarOf(entries: readonly TarEntry[]): Promise<Buffer> {
  const tar = pack();
  for (const { content, ...header } of entries) {
    if (content === undefined) tar.entry({ type: 'directory', ...header });
    else tar.entry({ type: 'file', ...header }, content);
  }
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** A layer on disk as the registry would hand it out. */
export async function layerOf(
  folder: string,
  tar: Buffer,
  options: { mediaType?: string; encode?: (tar: Buffer) => Buffer; diffId?: string } = {},
): Promise<Layer> {
  const blob = options.encode?.(tar) ?? tar;
  const path = join(folder, randomUUID());
  await writeFile(path, blob);
  return {
    digest: sha256(blob),
    mediaType: options.mediaType ?? 'application/vnd.oci.image.layer.v1.tar',
    diffId: options.diffId ?? sha256(tar),
    path,
  };
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}

/** Every file below the folder with its content, folders with a slash, links with where they lead. */
export async function tree(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { withFileTypes: true, recursive: true });
  const found: Record<string, string> = {};
  for (const entry of entries) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (entry.isDirectory()) found[`${name}/`] = '';
    else found[name] = entry.isFile() ? await readFile(path, 'utf8') : 'link';
  }
  return found;
}
