/** What a container runs: the image's configuration with the task definition's settings over it, as Docker merges them. */
import { lstat, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ifAbsent, resolveInRoot } from './rooted-path.ts';
import type { TaskSpec } from './task.ts';

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

export interface ContainerCommand {
  readonly argv: readonly string[];
  /** Where in the image the first of them was found. */
  readonly programPath: string;
  readonly workingDirectory: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly user: ContainerUser;
}

/** Docker's own PATH for images that set none (moby, oci/defaults). */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Resolves what to run in the image unpacked at `root`. Rejects with ECS's words when there is nothing to run. */
export async function containerCommand(spec: TaskSpec, root: string): Promise<ContainerCommand> {
  const argv = mergedCommand(spec);
  const program = argv[0];
  if (program === undefined) {
    throw new Error('CannotCreateContainerError: Error response from daemon: no command specified');
  }
  const user = await containerUser(spec.user ?? spec.image.config.User ?? '', root);
  const workingDirectory = join('/', spec.workingDirectory ?? spec.image.config.WorkingDir ?? '');
  const environment: Record<string, string> = {
    PATH: defaultPath,
    HOSTNAME: spec.id.slice(0, 12),
    HOME: user.home,
    ...imageEnvironment(spec.image.config.Env),
    ...spec.environment,
  };
  const programPath = await findProgram(program, root, workingDirectory, environment['PATH'] ?? defaultPath);
  return { argv, programPath, workingDirectory, environment, user };
}

/** An entry point of the task definition drops the image's command too; an empty list counts as not given. */
export function mergedCommand(
  spec: Pick<TaskSpec, 'entryPoint' | 'command'> & { readonly image: Pick<TaskSpec['image'], 'config'> },
): readonly string[] {
  const { config } = spec.image;
  const entryPoint = given(spec.entryPoint);
  const command = given(spec.command) ?? (entryPoint === undefined ? given(config.Cmd) : undefined);
  return [...(entryPoint ?? given(config.Entrypoint) ?? []), ...(command ?? [])];
}

function given(list: readonly string[] | null | undefined): readonly string[] | undefined {
  return list === null || list === undefined || list.length === 0 ? undefined : list;
}

function imageEnvironment(env: readonly string[] | null | undefined): Record<string, string> {
  const pairs = (env ?? []).map((entry): [string, string] => {
    const at = entry.indexOf('=');
    return at === -1 ? [entry, ''] : [entry.slice(0, at), entry.slice(at + 1)];
  });
  return Object.fromEntries(pairs);
}

/** `name`, `uid`, `name:group`, `uid:gid` as `USER` of a Dockerfile takes them, looked up in the image's own files. */
export async function containerUser(user: string, root: string): Promise<ContainerUser> {
  const [name = '', group] = user.split(':');
  const wanted = name === '' ? '0' : name;
  const users = await colonLines(root, '/etc/passwd');
  const found = users.find((fields) => fields[0] === wanted) ?? users.find((fields) => fields[2] === wanted);
  if (found === undefined && !/^\d+$/.test(wanted)) {
    throw cannotStart(`unable to find user ${wanted}: no matching entries in passwd file`);
  }
  const uid = Number(found?.[2] ?? wanted);
  const home = found?.[5];
  return {
    uid,
    gid: await groupId(group, Number(found?.[3] ?? 0), root),
    home: home === undefined || home === '' ? '/' : home,
  };
}

async function groupId(group: string | undefined, ofUser: number, root: string): Promise<number> {
  if (group === undefined || group === '') return ofUser;
  if (/^\d+$/.test(group)) return Number(group);
  const found = (await colonLines(root, '/etc/group')).find((fields) => fields[0] === group);
  if (found === undefined) {
    throw cannotStart(`unable to find group ${group}: no matching entries in group file`);
  }
  return Number(found[2]);
}

async function colonLines(root: string, path: string): Promise<string[][]> {
  const file = await resolveInRoot(root, path);
  const stats = await lstat(file).catch(ifAbsent);
  if (stats?.isFile() !== true) return [];
  return (await readFile(file, 'utf8')).split('\n').map((line) => line.split(':'));
}

/** The program's path inside the image, found as execvp(3) would, with runc's words when it cannot be run. */
async function findProgram(program: string, root: string, cwd: string, searchPath: string): Promise<string> {
  const hasFolder = program.includes('/');
  const folders = hasFolder ? [program.startsWith('/') ? '/' : cwd] : searchPath.split(':');
  let forbidden = false;
  for (const folder of folders) {
    const path = join('/', folder === '' ? cwd : folder, program);
    const stats = await stat(await resolveInRoot(root, path)).catch(ifAbsent);
    if (stats?.isFile() !== true) continue;
    if ((stats.mode & 0o111) !== 0) return path;
    forbidden = true;
  }
  const quoted = JSON.stringify(program);
  if (forbidden) throw cannotStart(`exec: ${quoted}: permission denied`);
  throw cannotStart(
    hasFolder
      ? `exec: ${quoted}: stat ${program}: no such file or directory`
      : `exec: ${quoted}: executable file not found in $PATH`,
  );
}

/** A failure to start, in the words that reach ECS from containerd. */
export function cannotStart(reason: string): Error {
  return new Error(
    'CannotStartContainerError: Error response from daemon: failed to create task for container: ' +
      `failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ${reason}: unknown`,
  );
}
