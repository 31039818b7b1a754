/** A function's configuration: checked as Lambda checks it, with Lambda's defaults, and as the API shows it. */
import type {
  CreateFunctionCommandInput,
  FunctionConfiguration,
  UpdateFunctionConfigurationCommandInput,
} from '@aws-sdk/client-lambda';
import { AwsError } from '../../call.ts';
import type { CodePackage } from './code.ts';
import { functionArn } from './function-name.ts';

type Setting =
  | 'Architectures'
  | 'DeadLetterConfig'
  | 'Description'
  | 'EphemeralStorage'
  | 'FileSystemConfigs'
  | 'Handler'
  | 'KMSKeyArn'
  | 'LoggingConfig'
  | 'MemorySize'
  | 'Role'
  | 'Runtime'
  | 'SnapStart'
  | 'Timeout'
  | 'TracingConfig'
  | 'VpcConfig';

/** Immutable: an update makes another. */
export type Settings = Readonly<Pick<CreateFunctionCommandInput, Setting>> & {
  readonly variables: Readonly<Record<string, string>>;
  readonly Role: string;
  readonly Handler: string;
  readonly Timeout: number;
  readonly MemorySize: number;
};

// Set by Lambda itself: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
const reservedVariables = new Set([
  '_HANDLER',
  'AWS_ACCESS_KEY',
  'AWS_ACCESS_KEY_ID',
  'AWS_DEFAULT_REGION',
  'AWS_EXECUTION_ENV',
  'AWS_LAMBDA_FUNCTION_MEMORY_SIZE',
  'AWS_LAMBDA_FUNCTION_NAME',
  'AWS_LAMBDA_FUNCTION_VERSION',
  'AWS_LAMBDA_INITIALIZATION_TYPE',
  'AWS_LAMBDA_LOG_GROUP_NAME',
  'AWS_LAMBDA_LOG_STREAM_NAME',
  'AWS_LAMBDA_RUNTIME_API',
  'AWS_REGION',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  'LAMBDA_RUNTIME_DIR',
  'LAMBDA_TASK_ROOT',
]);
const maxVariablesBytes = 4096;

type Given = Partial<Pick<CreateFunctionCommandInput, Setting>> &
  Pick<UpdateFunctionConfigurationCommandInput, 'Environment' | 'Layers'>;

/** The settings of a new function, or of one that `given` changes. */
export function settingsFrom(given: Given, current?: Settings): Settings {
  if ((given.Layers ?? []).length > 0)
    throw invalid('The embedded Lambda has no layers: bundle what the function needs.');
  const pick = <K extends Setting>(name: K): Pick<Settings, K> | object => {
    const value = given[name] ?? current?.[name];
    return value === undefined ? {} : { [name]: value };
  };
  const settings: Settings = {
    ...pick('Architectures'),
    ...pick('DeadLetterConfig'),
    ...pick('Description'),
    ...pick('EphemeralStorage'),
    ...pick('FileSystemConfigs'),
    ...pick('KMSKeyArn'),
    ...pick('LoggingConfig'),
    ...pick('Runtime'),
    ...pick('SnapStart'),
    ...pick('TracingConfig'),
    ...pick('VpcConfig'),
    variables:
      given.Environment === undefined ? (current?.variables ?? {}) : (given.Environment.Variables ?? {}),
    Role: given.Role ?? current?.Role ?? '',
    Handler: given.Handler ?? current?.Handler ?? '',
    Timeout: given.Timeout ?? current?.Timeout ?? 3,
    MemorySize: given.MemorySize ?? current?.MemorySize ?? 128,
  };
  check(settings);
  return settings;
}

function check(settings: Settings): void {
  const {
    Role: role,
    Handler: handler,
    Runtime: runtime,
    Timeout: timeout,
    MemorySize: memory,
    variables,
  } = settings;
  if (!/^arn:aws[a-z-]*:iam::\d{12}:role\/.+$/.test(role)) {
    throw constraint(
      'role',
      role,
      'Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*)?:iam::\\d{12}:role/?[a-zA-Z_0-9+=,.@\\-_/]+',
    );
  }
  if (handler === '')
    throw invalid(
      'Runtime and Handler are mandatory parameters for functions created with deployment packages.',
    );
  if (runtime === undefined || !/^nodejs\d+\.x$/.test(runtime)) {
    throw invalid(`The embedded Lambda runs Node.js only, not ${runtime ?? 'a function without runtime'}.`);
  }
  if (timeout < 1 || timeout > 900) {
    throw constraint('timeout', String(timeout), 'Member must have value less than or equal to 900');
  }
  if (memory < 128 || memory > 10_240) {
    throw invalid(
      `'MemorySize' value failed to satisfy constraint: Member must have value between 128 and 10240, not ${memory}`,
    );
  }
  const reserved = Object.keys(variables).filter((name) => reservedVariables.has(name));
  if (reserved.length > 0) {
    throw invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: ${reserved.join(', ')}`,
    );
  }
  if (Buffer.byteLength(JSON.stringify(variables)) > maxVariablesBytes) {
    throw invalid(
      `Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. String measured: ${JSON.stringify(variables)}`,
    );
  }
}

/** Where a function's logs go. */
export function logGroupOf(name: string, settings: Settings): string {
  return settings.LoggingConfig?.LogGroup ?? `/aws/lambda/${name}`;
}

/** A version as GetFunctionConfiguration shows it. */
export function describe(version: {
  readonly functionName: string;
  readonly version: string;
  readonly settings: Settings;
  readonly code: CodePackage;
  readonly revisionId: string;
  readonly lastModified: Date;
  readonly description: string | undefined;
  /** Whether the caller named a version, and so gets its ARN. */
  readonly qualified: boolean;
}): FunctionConfiguration {
  const { variables, LoggingConfig, SnapStart, VpcConfig, FileSystemConfigs, ...settings } = version.settings;
  return {
    ...settings,
    FunctionName: version.functionName,
    FunctionArn: functionArn(version.functionName, version.qualified ? version.version : undefined),
    Version: version.version,
    Description: version.description ?? '',
    CodeSha256: version.code.sha256,
    CodeSize: version.code.size,
    RevisionId: version.revisionId,
    LastModified: version.lastModified.toISOString().replace('Z', '+0000'),
    State: 'Active',
    LastUpdateStatus: 'Successful',
    PackageType: 'Zip',
    Architectures: settings.Architectures ?? ['x86_64'],
    EphemeralStorage: settings.EphemeralStorage ?? { Size: 512 },
    TracingConfig: { Mode: settings.TracingConfig?.Mode ?? 'PassThrough' },
    SnapStart: { ApplyOn: SnapStart?.ApplyOn ?? 'None', OptimizationStatus: 'Off' },
    LoggingConfig: {
      LogFormat: 'Text',
      ...LoggingConfig,
      LogGroup: logGroupOf(version.functionName, version.settings),
    },
    ...(Object.keys(variables).length === 0 ? {} : { Environment: { Variables: { ...variables } } }),
    ...(VpcConfig === undefined ? {} : { VpcConfig: { ...VpcConfig, VpcId: '' } }),
    ...(FileSystemConfigs === undefined ? {} : { FileSystemConfigs }),
  };
}

function constraint(name: string, value: string, rule: string): AwsError {
  return new AwsError(
    'InvalidParameterValueException',
    `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: ${rule}`,
  );
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}
