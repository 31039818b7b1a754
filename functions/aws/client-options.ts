/** What every client of a function is made with. */

export interface AwsOptions {
  readonly region?: string;
  readonly endpoint?: string;
  readonly credentials?: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
    readonly sessionToken?: string;
  };
  /** How requests travel; the SDK's own when absent. */
  readonly requestHandler?: { handle(request: never, options?: never): Promise<{ response: unknown }> };
}

/**
 * `retries`: where Step Functions retries the step, the client must not (retries live in one layer); functions that
 * events call have no such layer above that is quick, so their clients retry.
 */
export function clientOptions(aws: AwsOptions, retries: 'none' | 'sdk') {
  return { ...aws, maxAttempts: retries === 'none' ? 1 : 4 };
}
