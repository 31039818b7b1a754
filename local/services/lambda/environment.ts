/** One execution environment: one version's code, variables and credentials, and one invocation at a time. */
import type { Clock } from '../../clock.ts';
import type { EnvironmentLog } from './environment-log.ts';

/** The error object of Lambda's answers. */
export interface FunctionError {
  readonly errorType: string;
  readonly errorMessage: string;
  readonly trace?: readonly string[];
}

export type Answer =
  | { readonly kind: 'response'; readonly payload: string; readonly memoryUsed: number }
  | { readonly kind: 'failed'; readonly error: FunctionError; readonly memoryUsed: number }
  | { readonly kind: 'timeout'; readonly memoryUsed: number };

export interface Run {
  readonly id: string;
  readonly arn: string;
  readonly payload: string;
  readonly timeoutMs: number;
  readonly traceId: string;
  readonly clientContext: unknown;
}

export interface EnvironmentOptions {
  readonly clock: Clock;
  readonly taskRoot: string;
  readonly handler: string;
  readonly log: EnvironmentLog;
  readonly sharedOffset: SharedArrayBuffer | undefined;
  /** Megabytes after which the thread ends as out of memory. */
  readonly memoryLimit: number | undefined;
  /** All variables, credentials among them; asked for once, when the environment starts. */
  readonly variables: () => Promise<Record<string, string>>;
}

export interface ExecutionEnvironment {
  readonly log: EnvironmentLog;
  /** Whether an invocation has run here: the first one pays for the cold start. */
  readonly used: boolean;
  readonly ended: boolean;
  /** Resolves when the handler is loaded, or could not be; rejects when the role's credentials were refused. */
  started(): Promise<void>;
  invoke(run: Run): Promise<Answer>;
  /** Ends it at once; an invocation in it ends as a runtime that exited. */
  terminate(): Promise<void>;
}

export type MakeEnvironment = (options: EnvironmentOptions) => ExecutionEnvironment;

export function exitError(requestId: string | undefined, code: number, outOfMemory: boolean): FunctionError {
  const prefix = requestId === undefined ? '' : `RequestId: ${requestId} `;
  if (outOfMemory) {
    return {
      errorType: 'Runtime.OutOfMemory',
      errorMessage: `${prefix}Error: Runtime exited with error: signal: killed`,
    };
  }
  const how = code === 0 ? 'exited without providing a reason' : `exited with error: exit status ${code}`;
  return { errorType: 'Runtime.ExitError', errorMessage: `${prefix}Error: Runtime ${how}` };
}
