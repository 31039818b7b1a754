/** A message that an endpoint did not take. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
  /** Whether trying again can help. */
  readonly retryable: boolean;

  constructor(message: string, options: { retryable: boolean; cause?: unknown }) {
    super(message, { cause: options.cause });
    this.retryable = options.retryable;
  }
}
