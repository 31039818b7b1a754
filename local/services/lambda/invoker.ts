/** How other embedded services (Step Functions, EventBridge, DynamoDB streams, CloudFormation) call a function. */

export interface Invocation {
  /** JSON text of what the handler returned, or of the error object (`errorType`, `errorMessage`, `trace`). */
  readonly payload: string;
  /** `Unhandled` when the handler threw, timed out, ran out of memory or its process ended. */
  readonly functionError?: string;
}

export interface Invoker {
  /**
   * Invokes a function by ARN (unqualified, version or alias) and waits for its answer. Rejects with an `AwsError`
   * (`ResourceNotFoundException`, `TooManyRequestsException`, …) when it cannot be invoked at all.
   */
  invoke(functionArn: string, payload: string): Promise<Invocation>;
}
