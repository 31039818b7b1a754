/** How other embedded services (EventBridge) start an execution. */

export interface StartedExecution {
  readonly executionArn: string;
  readonly startDate: Date;
}

export interface Executions {
  /** StartExecution; `name` absent: a UUID. Throws `AwsError` as the API does. */
  start(stateMachineArn: string, options: { name?: string; input: string }): StartedExecution;
}
