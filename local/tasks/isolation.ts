/** How tasks are kept apart on this machine: what the kernel allows us is found out by trying it once. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ContainerCommand } from './container-command.ts';
import { removeTree } from './remove-tree.ts';
import type { RootFilesystem } from './root-filesystem.ts';

const run = promisify(execFile);

const enterNetwork = join(import.meta.dirname, 'enter-network.sh');
const enterContainer = join(import.meta.dirname, 'enter-container.sh');
const enterChroot = join(import.meta.dirname, 'enter-chroot.sh');

export type Isolation =
  | {
      readonly kind: 'namespaces';
      /** Without a user namespace only root can make the others. */
      readonly user: boolean;
      readonly network: boolean;
      readonly overlay: boolean;
    }
  | { readonly kind: 'chroot' }
  | { readonly kind: 'none' };

/** The best isolation that works here. `folder` lies on the file system on which tasks will have their roots. */
export async function probeIsolation(folder: string): Promise<Isolation> {
  const isRoot = process.getuid?.() === 0;
  for (const user of isRoot ? [true, false] : [true]) {
    for (const network of [true, false]) {
      const isolation = { kind: 'namespaces', user, network, overlay: false } as const;
      if (!(await works(namespaceProbe(isolation, ':')))) continue;
      return { ...isolation, overlay: await overlayWorks(isolation, folder) };
    }
  }
  if (isRoot && (await works(['unshare', '--root=/', 'true']))) return { kind: 'chroot' };
  return { kind: 'none' };
}

/** For the screen. */
export function inWords(isolation: Isolation): string {
  if (isolation.kind === 'chroot')
    return 'own root folder (chroot), network and processes shared with this machine';
  if (isolation.kind === 'none')
    return 'none: run from the unpacked image, everything else shared with this machine';
  const user = isolation.user ? 'user, ' : '';
  const root = isolation.overlay ? 'an overlay of the image' : 'a copy of the image';
  return isolation.network
    ? `namespaces (${user}mount, PID, network), root: ${root}`
    : `namespaces (${user}mount, PID), root: ${root}, network shared with this machine`;
}

/** What the supervisor runs under, so that it stands in the task's network. */
export function networkEntry(isolation: Isolation): readonly string[] {
  if (isolation.kind !== 'namespaces') return [];
  const user = isolation.user ? ['--user', '--map-root-user'] : [];
  const network = isolation.network ? ['--net', 'sh', enterNetwork] : [];
  return user.length + network.length === 0 ? [] : ['unshare', ...user, '--ipc', '--uts', ...network];
}

/** What the supervisor runs: enters the container, announces itself on file descriptor 3, becomes the command. */
export function containerEntry(
  isolation: Isolation,
  fileSystem: RootFilesystem,
  command: ContainerCommand,
): readonly string[] {
  const environment = Object.entries(command.environment).map(([name, value]) => `${name}=${value}`);
  if (isolation.kind === 'none') {
    const cwd = join(fileSystem.root, command.workingDirectory);
    const inTree = [
      'env',
      '-i',
      `--chdir=${cwd}`,
      ...environment,
      join(fileSystem.root, command.programPath),
      ...command.argv.slice(1),
    ];
    return [...dieWithParent, 'sh', '-c', announce, 'sh', ...inTree];
  }
  const change = [
    ...userChange(isolation, command.user),
    `--root=${fileSystem.root}`,
    `--wd=${command.workingDirectory}`,
  ];
  const confined = ['env', '-i', ...environment, 'unshare', ...change, '--', ...command.argv];
  if (isolation.kind === 'chroot') return [...dieWithParent, 'sh', enterChroot, fileSystem.root, ...confined];
  const { overlay } = fileSystem;
  const options = overlay === undefined ? '' : overlayOptions(overlay);
  return [...processEntry, ...dieWithParent, 'sh', enterContainer, fileSystem.root, options, ...confined];
}

/** Both signals are the kernel's doing: nothing that we start outlives its parent, however that ends. */
const dieWithParent = ['setpriv', '--pdeathsig', 'KILL'];

/** Announces itself, then becomes the command: all there is to do without a root of its own. */
const announce = 'echo "started $$" >&3; exec 3>&-; exec "$@"';

/**
 * A new PID namespace holds the children of the process that makes it. So a shell stays in front of the container: it
 * waits, silently, and reports the exit as shells do (128 + signal). `unshare --fork` would do, but reports a SIGKILL as 1.
 */
const waitFor = 'exec 5>&2 2>/dev/null; "$@" 2>&5 5>&-; exit $?';
const processEntry = [...dieWithParent, 'unshare', '--mount', '--pid', 'sh', '-c', waitFor, 'sh'];

/**
 * A user namespace maps one user only. Whoever the image's user is, it is mapped to us, and all files of the image
 * appear to be its own.
 */
function userChange(isolation: Isolation, user: ContainerCommand['user']): readonly string[] {
  if (user.uid === 0 && user.gid === 0) return [];
  return isolation.kind === 'namespaces' && isolation.user
    ? ['--user', `--map-user=${user.uid}`, `--map-group=${user.gid}`]
    : [`--setgid=${user.gid}`, `--setuid=${user.uid}`];
}

function overlayOptions(overlay: NonNullable<RootFilesystem['overlay']>): string {
  return `lowerdir=${overlay.lower},upperdir=${overlay.upper},workdir=${overlay.work},userxattr`;
}

function namespaceProbe(isolation: Isolation, extra: string): readonly string[] {
  const check = `${extra} && mount -t tmpfs tmpfs /tmp && mount --bind /dev/null /dev/zero && unshare --root=/ true`;
  return [...networkEntry(isolation), ...processEntry, ...dieWithParent, 'sh', '-c', check];
}

async function overlayWorks(isolation: Isolation, folder: string): Promise<boolean> {
  const trial = await mkdtemp(join(folder, 'overlay-'));
  try {
    const [lower, upper, work, root] = ['lower', 'upper', 'work', 'root'].map((name) => join(trial, name));
    if (!(lower && upper && work && root)) return false;
    for (const path of [lower, upper, work, root]) await mkdir(path);
    const options = overlayOptions({ lower, upper, work });
    return await works(namespaceProbe(isolation, `mount -t overlay overlay -o '${options}' '${root}'`));
  } finally {
    await removeTree(trial);
  }
}

/** Any failure (a missing program, a refusing kernel) means that this way is closed here. */
async function works(command: readonly string[]): Promise<boolean> {
  const [program = '', ...args] = command;
  return run(program, args).then(
    () => true,
    () => false,
  );
}
