/** One execution: what the API tells of it, and where it stands. */
import type { ExecutionStatus } from '@aws-sdk/client-sfn';
import type { Definition } from './definition.ts';
import { History, maximumEvents } from './history.ts';
import type { Json, JsonObject } from './json.ts';

/** A state machine as it was when an execution started; a running execution keeps it through updates. */
export interface Revision {
  readonly stateMachineArn: string;
  readonly name: string;
  readonly roleArn: string;
  readonly text: string;
  readonly definition: Definition;
  readonly revisionId: string;
  readonly updated: number;
}

/** Where a workflow's run stands. Kept, so that a redrive goes on from the state that failed. */
export interface Position {
  state: string;
  input: Json;
  /** Those that the workflow itself assigned; a Map's states read the outer ones besides. */
  variables: JsonObject;
  /** 0 until the state is entered. */
  enteredEventId: number;
  enteredAt: number;
  map?: MapProgress;
}

export interface MapProgress {
  readonly items: readonly Json[];
  readonly results: Json[];
  /** Of the item that is being processed. */
  current?: Position;
}

export interface Ending {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  readonly output?: string;
  readonly error?: string | undefined;
  readonly cause?: string | undefined;
}

const day = 86_400_000;
// https://docs.aws.amazon.com/step-functions/latest/dg/redrive-executions.html
const redrivablePeriod = 14 * day;

export class Execution {
  readonly arn: string;
  readonly name: string;
  readonly input: string;
  readonly startDate: number;
  readonly revision: Revision;
  /** Rises with each execution of the service: the order of ListExecutions. */
  readonly order: number;
  /** Of the role's session, the same for all calls of this execution. */
  readonly session: string;
  readonly history = new History();
  readonly position: Position;
  status: ExecutionStatus = 'RUNNING';
  stopDate: number | undefined;
  output: string | undefined;
  error: string | undefined;
  cause: string | undefined;
  redriveCount = 0;
  redriveDate: number | undefined;
  /** As AWS bills them: each state entered and each retry. */
  transitions = 0;

  constructor(options: {
    arn: string;
    name: string;
    input: string;
    startDate: number;
    revision: Revision;
    order: number;
    session: string;
  }) {
    this.arn = options.arn;
    this.name = options.name;
    this.input = options.input;
    this.startDate = options.startDate;
    this.revision = options.revision;
    this.order = options.order;
    this.session = options.session;
    this.position = {
      state: options.revision.definition.StartAt,
      input: JSON.parse(options.input) as Json,
      variables: {},
      enteredEventId: 0,
      enteredAt: 0,
    };
  }

  end(ending: Ending, at: number): void {
    this.status = ending.status;
    this.stopDate = at;
    this.output = ending.output;
    this.error = ending.error;
    this.cause = ending.cause;
  }

  reopen(at: number): void {
    this.status = 'RUNNING';
    this.redriveCount += 1;
    this.redriveDate = at;
    this.stopDate = undefined;
    this.error = undefined;
    this.cause = undefined;
  }

  /** Why it cannot be redriven, in AWS's words; undefined when it can. */
  notRedrivable(now: number): string | undefined {
    if (this.status === 'RUNNING' || this.status === 'SUCCEEDED') {
      return `Execution is ${this.status} and cannot be redriven`;
    }
    if (this.history.length >= maximumEvents - 1) return 'Execution history event limit exceeded';
    if (now - (this.stopDate ?? now) > redrivablePeriod) return 'Execution redrivable period exceeded';
    return undefined;
  }
}
