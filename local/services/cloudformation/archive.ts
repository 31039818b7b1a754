/** A folder as the zip archive that Lambda takes; the same bytes for the same content. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Zippable, zipSync } from 'fflate';

/** The CDK's own choice: the earliest date that the format knows. */
const date = new Date(1980, 0, 1);

/** Stored, not deflated: it is unpacked on the same machine a moment later. */
const level = 0;

const madeByUnix = 3;
const modeBits = 16;

export async function archive(folder: string): Promise<Uint8Array> {
  const files: Zippable = {};
  for (const name of (await readdir(folder, { recursive: true })).toSorted()) {
    const found = await stat(join(folder, name));
    if (!found.isFile()) continue;
    const content = new Uint8Array(await readFile(join(folder, name)));
    files[name] = [content, { mtime: date, level, os: madeByUnix, attrs: found.mode << modeBits }];
  }
  return zipSync(files);
}
