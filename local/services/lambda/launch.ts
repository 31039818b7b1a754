/** Makes execution environments for a version: its variables as on AWS, its log stream, its role's credentials. */
import { randomBytes } from 'node:crypto';
import { region } from '../../account.ts';
import type { Clock } from '../../clock.ts';
import type { ExecutionEnvironment, MakeEnvironment } from './environment.ts';
import { EnvironmentLog } from './environment-log.ts';
import { Environments } from './environments.ts';
import { type FunctionVersion, newRevision } from './function.ts';
import { logGroupOf } from './settings.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

export interface LaunchOptions {
  readonly clock: Clock;
  /** A session of the role. Rejects when Lambda may not assume it. */
  readonly credentials: (roleArn: string, sessionName: string) => Credentials | Promise<Credentials>;
  /** `AWS_ENDPOINT_URL` of the functions. Asked for when an environment starts. */
  readonly endpoint: () => string;
  readonly appendLog: (group: string, stream: string, line: string) => void;
  readonly sharedOffset: SharedArrayBuffer | undefined;
  readonly limitMemory: boolean;
  readonly makeEnvironment: MakeEnvironment;
}

export type LaunchedVersion = Pick<FunctionVersion, 'functionName' | 'version' | 'settings' | 'code'>;

/** A version with its (yet empty) pool of environments. */
export function newVersion(launched: LaunchedVersion, options: LaunchOptions): FunctionVersion {
  return {
    ...launched,
    revisionId: newRevision(),
    lastModified: new Date(options.clock.now()),
    environments: new Environments(() => launch(launched, options)),
  };
}

function launch(launched: LaunchedVersion, options: LaunchOptions): ExecutionEnvironment {
  const { functionName, version, settings, code } = launched;
  const { clock } = options;
  const group = logGroupOf(functionName, settings);
  const day = new Date(clock.now()).toISOString().slice(0, 10).replaceAll('-', '/');
  const stream = `${day}/[${version}]${randomBytes(16).toString('hex')}`;
  return options.makeEnvironment({
    clock,
    taskRoot: code.taskRoot,
    handler: settings.Handler,
    sharedOffset: options.sharedOffset,
    memoryLimit: options.limitMemory ? settings.MemorySize : undefined,
    variables: async () =>
      variablesOf(launched, {
        group,
        stream,
        endpoint: options.endpoint(),
        credentials: await options.credentials(settings.Role, functionName),
      }),
    log: new EnvironmentLog({
      clock,
      stream,
      json: settings.LoggingConfig?.LogFormat === 'JSON',
      write: (line) => options.appendLog(group, stream, line),
    }),
  });
}

/** https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html */
function variablesOf(
  { functionName, version, settings, code }: LaunchedVersion,
  made: { group: string; stream: string; endpoint: string; credentials: Credentials },
): Record<string, string> {
  const { credentials } = made;
  return {
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
    ...settings.variables,
    _HANDLER: settings.Handler,
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: `AWS_Lambda_${settings.Runtime}`,
    AWS_LAMBDA_FUNCTION_NAME: functionName,
    AWS_LAMBDA_FUNCTION_VERSION: version,
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(settings.MemorySize),
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_LOG_GROUP_NAME: made.group,
    AWS_LAMBDA_LOG_STREAM_NAME: made.stream,
    AWS_LAMBDA_LOG_FORMAT: settings.LoggingConfig?.LogFormat ?? 'Text',
    ...(settings.LoggingConfig?.ApplicationLogLevel === undefined
      ? {}
      : { AWS_LAMBDA_LOG_LEVEL: settings.LoggingConfig.ApplicationLogLevel }),
    LAMBDA_TASK_ROOT: code.taskRoot,
    LAMBDA_RUNTIME_DIR: '/var/runtime',
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    ...(credentials.sessionToken === undefined ? {} : { AWS_SESSION_TOKEN: credentials.sessionToken }),
    AWS_ENDPOINT_URL: made.endpoint,
  };
}
