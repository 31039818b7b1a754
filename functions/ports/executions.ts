import type { ExecutionStatus } from '../core/deployment/recovery.ts';

/** Executions of the machines. */
export interface Executions {
  status(executionArn: string): Promise<ExecutionStatus>;
  /** Starts one by a name that a repeat gives again: when it was started before, that is fine. */
  start(machineArn: string, name: string, input: object): Promise<void>;
}
