/** A task's own file system over the shared unpacked image: what one task writes, no other sees. */
import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  link,
  lstat,
  mkdir,
  readdir,
  readlink,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { ifAbsent, resolveInRoot } from './rooted-path.ts';

/** Where the task's root is, and for an overlay what it is mounted from. */
export interface RootFilesystem {
  readonly root: string;
  readonly overlay?: { readonly lower: string; readonly upper: string; readonly work: string };
}

/** An overlay to be mounted by the task itself, in its own mount namespace. Costs nothing, shares the page cache. */
export async function overlayOn(lower: string, folder: string): Promise<RootFilesystem> {
  const fileSystem = {
    root: join(folder, 'root'),
    overlay: { lower, upper: join(folder, 'upper'), work: join(folder, 'work') },
  };
  await mkdir(fileSystem.root, { recursive: true });
  await mkdir(fileSystem.overlay.upper);
  await mkdir(fileSystem.overlay.work);
  return fileSystem;
}

/** Larger programs and libraries are shared by hard link: they are rarely written to, and a copy would cost memory. */
const sharedFromBytes = 1024 ** 2;

/** A copy (a reflink where the file system can), for machines without overlays. */
export async function copyOf(lower: string, folder: string): Promise<RootFilesystem> {
  const root = join(folder, 'root');
  await copyTree(lower, root);
  return { root };
}

async function copyTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const source = join(from, entry.name);
    const target = join(to, entry.name);
    if (entry.isDirectory()) await copyTree(source, target);
    else if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else await copyOrLink(source, target);
  }
  await chmod(to, (await lstat(from)).mode & 0o7777);
}

async function copyOrLink(source: string, target: string): Promise<void> {
  const { size, mode } = await lstat(source);
  const isReadable = (mode & 0o400) !== 0 || process.getuid?.() === 0;
  if (!isReadable || (size >= sharedFromBytes && (mode & 0o111) !== 0)) {
    await link(source, target);
    return;
  }
  await copyFile(source, target, constants.COPYFILE_FICLONE);
  await chmod(target, mode & 0o7777);
}

/** Makes sure that the folder exists in the task's view, as Docker makes a missing working directory. */
export async function ensureFolder(fileSystem: RootFilesystem, path: string): Promise<void> {
  const { overlay, root } = fileSystem;
  const view = overlay?.lower ?? root;
  const resolved = await resolveInRoot(view, path);
  if (overlay === undefined) await mkdir(resolved, { recursive: true });
  else await mkdirAbove(overlay.lower, overlay.upper, relative(overlay.lower, resolved));
}

/** Writes a file that the container runtime supplies, such as /etc/hosts, in place of the image's. */
export async function writeSupplied(
  fileSystem: RootFilesystem,
  path: string,
  content: string,
): Promise<void> {
  const { overlay, root } = fileSystem;
  const folder = await resolveInRoot(overlay?.lower ?? root, dirname(path));
  const name = path.slice(path.lastIndexOf('/') + 1);
  await ensureFolder(fileSystem, dirname(path));
  const target =
    overlay === undefined ? join(folder, name) : join(overlay.upper, relative(overlay.lower, folder), name);
  // Removed first: the file may be a link that leads elsewhere, or be shared with other tasks.
  await rm(target, { force: true });
  await writeFile(target, content, { flag: 'wx', mode: 0o644 });
}

/** Folders of the upper layer hide the attributes of those below: each takes over the mode of its namesake. */
async function mkdirAbove(lower: string, upper: string, path: string): Promise<void> {
  if (path === '') return;
  await mkdirAbove(lower, upper, dirname(path) === '.' ? '' : dirname(path));
  const folder = join(upper, path);
  if ((await lstat(folder).catch(ifAbsent)) !== undefined) return;
  const below = await lstat(join(lower, path)).catch(ifAbsent);
  await mkdir(folder);
  await chmod(folder, below === undefined ? 0o755 : below.mode & 0o7777);
}
