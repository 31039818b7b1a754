/** Step Functions with a manual clock and functions that a test writes. */
import type { HistoryEvent } from '@aws-sdk/client-sfn';
import type { AwsEvent } from '../../local/aws-event.ts';
import { AwsError, type Call } from '../../local/call.ts';
import type { Authorizer, Request } from '../../local/iam/authorizer.ts';
import type { Invocation } from '../../local/services/lambda/invoker.ts';
import type { Transition } from '../../local/services/states/run.ts';
import { States, type StatesOptions } from '../../local/services/states/service.ts';
import { ManualClock } from '../manual-clock.ts';

export const roleArn = 'arn:aws:iam::123456789012:role/machine';
export const functionArn = (name: string) => `arn:aws:lambda:us-east-1:123456789012:function:${name}`;
export const machineArn = (name = 'm') => `arn:aws:states:us-east-1:123456789012:stateMachine:${name}`;

/** What a function answers: a value, or it throws. */
export type Handler = (payload: never) => unknown;

/** A function's own failure, as Lambda reports it. */
export class FunctionError extends Error {
  readonly errorType: string;

  constructor(errorType: string, message = 'it broke') {
    super(message);
    this.errorType = errorType;
  }
}

const root: Call = { principal: { kind: 'root' }, requestId: 'request', endpoint: 'http://127.0.0.1:1' };

interface SomeOperations {
  readonly [name: string]: (input: object, call: Call) => Record<string, unknown>;
}

export class EmbeddedStates {
  readonly clock = new ManualClock();
  readonly events: AwsEvent[] = [];
  readonly transitions: Transition[] = [];
  readonly requests: Request[] = [];
  readonly handlers = new Map<string, Handler>();
  readonly states: States;
  #uuids = 0;

  constructor(options: Partial<StatesOptions> = {}) {
    const authorizer: Authorizer = { authorize: (request) => void this.requests.push(request) };
    this.states = new States({
      clock: this.clock,
      authorizer,
      emit: (event) => this.events.push(event),
      invoker: { invoke: (arn, payload) => this.#invoke(arn, payload) },
      uuid: () => `00000000-0000-4000-8000-${String(this.#uuids++).padStart(12, '0')}`,
      transitionLatency: 0,
      onTransition: (transition) => this.transitions.push(transition),
      ...options,
    });
  }

  async #invoke(arn: string, payload: string): Promise<Invocation> {
    const handler = this.handlers.get(arn.split(':')[6] ?? '');
    if (handler === undefined) throw new AwsError('ResourceNotFoundException', `Function not found: ${arn}`);
    try {
      return { payload: JSON.stringify((await handler(JSON.parse(payload) as never)) ?? null) };
    } catch (failure) {
      if (!(failure instanceof FunctionError)) throw failure;
      const error = { errorType: failure.errorType, errorMessage: failure.message, trace: [] };
      return { payload: JSON.stringify(error), functionError: 'Unhandled' };
    }
  }

  call(operation: string, input: object = {}, call: Call = root): Record<string, unknown> {
    return (this.states.operations as unknown as SomeOperations)[operation]!(input, call);
  }

  /** Creates a machine and starts it. */
  start(definition: object, input: unknown = {}, name = 'run'): string {
    this.create(definition);
    return this.states.start(machineArn(), { name, input: JSON.stringify(input) }).executionArn;
  }

  create(definition: object, name = 'm'): void {
    this.call('CreateStateMachine', {
      name,
      roleArn,
      definition: JSON.stringify({ QueryLanguage: 'JSONata', ...definition }),
    });
  }

  /** Runs a definition to its end within a day. */
  async run(definition: object, input: unknown = {}): Promise<Outcome> {
    const arn = this.start(definition, input);
    await this.clock.advance(86_400_000);
    return this.outcome(arn);
  }

  outcome(executionArn: string): Outcome {
    const described = this.call('DescribeExecution', { executionArn }) as {
      status: string;
      output?: string;
      error?: string;
      cause?: string;
    };
    const { status, output, error, cause } = described;
    return {
      status,
      ...(output === undefined ? {} : { output: JSON.parse(output) as unknown }),
      ...(error === undefined ? {} : { error }),
      ...(cause === undefined ? {} : { cause }),
    };
  }

  history(executionArn: string, request: object = {}): HistoryEvent[] {
    return this.call('GetExecutionHistory', { executionArn, maxResults: 1000, ...request })[
      'events'
    ] as HistoryEvent[];
  }

  types(executionArn: string): string[] {
    return this.history(executionArn).map(({ type }) => String(type));
  }
}

export interface Outcome {
  readonly status: string;
  readonly output?: unknown;
  readonly error?: string;
  readonly cause?: string;
}

/** A Task that invokes a function. */
export function invoke(name: string, payload: unknown = {}, more: object = {}): object {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke',
    Arguments: { FunctionName: functionArn(name), Payload: payload },
    Output: '{% $states.result.Payload %}',
    ...more,
  };
}

/** A Task that invokes a function and waits for its token. */
export function awaitToken(name: string, more: object = {}): object {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::lambda:invoke.waitForTaskToken',
    Arguments: { FunctionName: functionArn(name), Payload: { token: '{% $states.context.Task.Token %}' } },
    ...more,
  };
}

/** A definition of one state, which ends it. */
export function only(state: object): object {
  return { StartAt: 'S', States: { S: state } };
}
