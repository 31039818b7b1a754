/** Paths inside an unpacked image, resolved as a process confined to it would: no symbolic link leads out. */
import { lstat, readlink } from 'node:fs/promises';
import { join } from 'node:path';

/** As the kernel's own limit (path_resolution(7)): more links than this is a loop. */
const maxSymlinks = 40;

/**
 * The host path of `path` inside `root`. Symbolic links are followed and `..` stops at the root, as after chroot(2).
 * Components that do not exist are taken as they are. With `followLast: false` a link in the last place is not followed.
 */
export async function resolveInRoot(
  root: string,
  path: string,
  options: { followLast?: boolean } = {},
): Promise<string> {
  const pending = components(path);
  let resolved: string[] = [];
  let links = 0;
  for (let name = pending.shift(); name !== undefined; name = pending.shift()) {
    if (name === '..') {
      resolved.pop();
      continue;
    }
    const here = join(root, ...resolved, name);
    const target =
      pending.length === 0 && options.followLast === false ? undefined : await readLinkIfAny(here);
    if (target === undefined) {
      resolved.push(name);
      continue;
    }
    links += 1;
    if (links > maxSymlinks) throw new Error(`${path}: too many levels of symbolic links`);
    if (target.startsWith('/')) resolved = [];
    pending.unshift(...components(target));
  }
  return join(root, ...resolved);
}

function components(path: string): string[] {
  return path.split('/').filter((name) => name !== '' && name !== '.');
}

async function readLinkIfAny(path: string): Promise<string | undefined> {
  const stats = await lstat(path).catch(ifAbsent);
  return stats?.isSymbolicLink() === true ? readlink(path) : undefined;
}

/** For `catch`: what is not there is undefined; every other error is thrown on. */
export function ifAbsent(error: unknown): undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
  throw error;
}
