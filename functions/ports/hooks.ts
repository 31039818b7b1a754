/** One hook to be called. */
export interface HookCall {
  readonly service: string;
  readonly key: string;
  /** ARN of the function. */
  readonly function: string;
  readonly input: unknown;
  readonly retries: number;
  /** When it must have answered, in milliseconds since the epoch. */
  readonly until: number;
}

/** One instance to be drained. */
export interface DrainCall {
  readonly service: string;
  readonly generation: string;
  readonly instance: string;
  /** ARN of the function; null: it is let go at once. */
  readonly function: string | null;
  /** When it is let go in any case, in milliseconds since the epoch. */
  readonly until: number;
}

/** Has hooks called by somebody who can wait for them. A repeat may call twice: the key tells. */
export interface Hooks {
  begin(call: HookCall): Promise<void>;
  /** Has an instance drained, and let go then. */
  drain(call: DrainCall): Promise<void>;
}

/** Functions that belong to services. */
export interface ServiceFunctions {
  /** What it returns, within `timeoutMs`. Throws `Cutover.AwsUnavailable` or `Cutover.AwsRefused` when it fails or does not answer. */
  call(functionArn: string, input: unknown, timeoutMs: number): Promise<unknown>;
}
