/** What `docker run` asks for. Left out, and refused by name: volumes, networks, several ports, limits that would bite. */
import { type Asked, failed, notModelled, type Outcome } from './command.ts';
import { type Grammar, type Options, parseOptions, valueOf } from './command-options.ts';
import { type ContainerSettings, defaultStopTimeoutMs } from './container.ts';
import { restartPolicy } from './restart-policy.ts';

const grammar: Grammar = {
  '--detach': 'flag',
  '-d': '--detach',
  '--restart': 'value',
  '--publish': 'value',
  '-p': '--publish',
  '--env': 'value',
  '-e': '--env',
  '--env-file': 'value',
  '--name': 'value',
  '--log-driver': 'value',
  '--log-opt': 'value',
  '--entrypoint': 'value',
  '--workdir': 'value',
  '-w': '--workdir',
  '--user': 'value',
  '-u': '--user',
  '--stop-timeout': 'value',
  '--rm': 'flag',
  '--pull': 'value',
  // These change nothing that is modelled.
  '--label': 'value',
  '-l': '--label',
  '--memory': 'value',
  '-m': '--memory',
  '--cpus': 'value',
  '--ulimit': 'value',
};

export interface AwsLogs {
  readonly group: string;
  readonly stream: string | undefined;
  readonly createsGroup: boolean;
}

export interface RunRequest
  extends Pick<ContainerSettings, 'task' | 'published' | 'restart' | 'stopTimeoutMs'> {
  readonly image: string;
  readonly name: string | undefined;
  readonly detached: boolean;
  readonly removed: boolean;
  readonly logs: AwsLogs | undefined;
}

/** Docker's exit status for its own failures (https://docs.docker.com/reference/cli/docker/container/run/#exit-status). */
const daemonFailed = 125;

export function refusedRun(why: string): Outcome {
  return failed(`docker: ${why}`, daemonFailed);
}

export function runRequest({ args, environment, files }: Asked): RunRequest | Outcome {
  const options = parseOptions(args, grammar, { commandFollows: true });
  const [image, ...command] = options.words;
  if (options.unknown !== undefined) return notModelled(`docker run ${options.unknown}`);
  if (image === undefined)
    return failed('docker: "docker run" requires at least 1 argument.\n\nSee "docker run --help".');
  const restart = restartPolicy(valueOf(options, '--restart') ?? 'no');
  if (restart === undefined)
    return refusedRun(
      `Error response from daemon: invalid restart policy: unknown policy '${valueOf(options, '--restart')}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  if (options.flags.has('--rm') && restart.name !== 'no')
    return refusedRun('conflicting options: cannot specify both --restart and --rm');
  const published = publishedBy(options);
  if (published !== undefined && 'exitCode' in published) return published;
  const logs = logsBy(options);
  if (logs !== undefined && 'exitCode' in logs) return logs;
  const entryPoint = valueOf(options, '--entrypoint');
  const workingDirectory = valueOf(options, '--workdir');
  const user = valueOf(options, '--user');
  const stopTimeout = valueOf(options, '--stop-timeout');
  return {
    image,
    name: valueOf(options, '--name'),
    detached: options.flags.has('--detach'),
    removed: options.flags.has('--rm'),
    restart,
    published,
    logs,
    stopTimeoutMs: stopTimeout === undefined ? defaultStopTimeoutMs : Number(stopTimeout) * 1_000,
    task: {
      environment: environmentBy(options, environment, files),
      ...(command.length === 0 ? {} : { command }),
      ...(entryPoint === undefined ? {} : { entryPoint: [entryPoint] }),
      ...(workingDirectory === undefined ? {} : { workingDirectory }),
      ...(user === undefined ? {} : { user }),
    },
  };
}

function publishedBy({ values }: Options): RunRequest['published'] | Outcome {
  const [mapping, second] = values.get('--publish') ?? [];
  if (mapping === undefined) return undefined;
  // The runner of processes leads to one port of each.
  if (second !== undefined) return notModelled('docker run with several --publish');
  const match = /^(?:0\.0\.0\.0:)?(\d+):(\d+)(?:\/tcp)?$/.exec(mapping);
  return match === null
    ? notModelled(`docker run --publish ${mapping}`)
    : { host: Number(match[1]), container: Number(match[2]) };
}

function logsBy(options: Options): AwsLogs | undefined | Outcome {
  const driver = valueOf(options, '--log-driver') ?? 'json-file';
  const given = (options.values.get('--log-opt') ?? []).map((option): [string, string] => {
    const at = option.indexOf('=');
    return at === -1 ? [option, ''] : [option.slice(0, at), option.slice(at + 1)];
  });
  if (['json-file', 'local', 'journald', 'none'].includes(driver)) return undefined;
  if (driver !== 'awslogs') return notModelled(`docker run --log-driver ${driver}`);
  // https://docs.docker.com/engine/logging/drivers/awslogs/
  const known = [
    'awslogs-region',
    'awslogs-group',
    'awslogs-stream',
    'awslogs-create-group',
    'mode',
    'max-buffer-size',
  ];
  const unknown = given.find(([name]) => !known.includes(name));
  if (unknown !== undefined) return notModelled(`docker run --log-opt ${unknown[0]}`);
  const opts = new Map(given);
  const group = opts.get('awslogs-group');
  if (group === undefined || group === '')
    return refusedRun("Error response from daemon: must specify a value for log opt 'awslogs-group'");
  return {
    group,
    stream: opts.get('awslogs-stream'),
    createsGroup: opts.get('awslogs-create-group') === 'true',
  };
}

/** Of `--env NAME` the value is the caller's; one that it has not is left out, as by Docker. */
function environmentBy(
  { values }: Options,
  callers: Asked['environment'],
  files: Asked['files'],
): Record<string, string> {
  const lines = (values.get('--env-file') ?? []).flatMap((path) =>
    (files[path] ?? '').split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#')),
  );
  const pairs = [...lines, ...(values.get('--env') ?? [])].flatMap((entry): [string, string][] => {
    const at = entry.indexOf('=');
    if (at !== -1) return [[entry.slice(0, at), entry.slice(at + 1)]];
    const value = callers[entry];
    return value === undefined ? [] : [[entry, value]];
  });
  return Object.fromEntries(pairs);
}
