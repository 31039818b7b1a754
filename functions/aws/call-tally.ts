/**
 * What an invocation has called so far, counted by the clients themselves. An environment serves one invocation at a time
 * (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html), so one tally serves all of its clients.
 */
import type { Calls, Written } from '../core/ledger/written.ts';

/** Prefixes of actions as IAM names them, by client. */
const prefixes: Readonly<Record<string, string>> = {
  ApplicationAutoScalingClient: 'application-autoscaling',
  AutoScalingClient: 'autoscaling',
  CloudWatchClient: 'cloudwatch',
  CloudWatchLogsClient: 'logs',
  DynamoDBClient: 'dynamodb',
  EC2Client: 'ec2',
  ECRClient: 'ecr',
  ECSClient: 'ecs',
  ElasticLoadBalancingV2Client: 'elasticloadbalancing',
  SFNClient: 'states',
  SNSClient: 'sns',
  SSMClient: 'ssm',
  ServiceQuotasClient: 'servicequotas',
};

/** Plan makes some fifteen kinds of calls; more than this many kinds count together. */
const mostKinds = 29;

interface Called {
  readonly clientName?: string;
  readonly commandName?: string;
}

type Middleware = <Args, Output>(
  next: (args: Args) => Promise<Output>,
  called: Called,
) => (args: Args) => Promise<Output>;

/** The part of every client of the SDK that a middleware is added to. */
interface Counted {
  readonly middlewareStack: { add(middleware: Middleware, options: { step: 'initialize' }): void };
}

export class CallTally {
  readonly #by: string;
  readonly #now: () => number;
  #request = '';
  #startedAt: number;
  #calls: Record<string, Calls> = {};

  /** `by`: the function's name; `now`: milliseconds since the epoch. */
  constructor(by: string, now: () => number = Date.now) {
    this.#by = by;
    this.#now = now;
    this.#startedAt = now();
  }

  /** A new invocation begins; what the last one called is forgotten. */
  begin(request: string): void {
    this.#request = request;
    this.#startedAt = this.#now();
    this.#calls = {};
  }

  /** From now on the client's calls count: each once, however often the client itself tries. */
  count<C extends Counted>(client: C): C {
    client.middlewareStack.add(
      (next, called) => async (args) => {
        const from = this.#now();
        let failed = true;
        try {
          const output = await next(args);
          failed = false;
          return output;
        } finally {
          this.#add(actionOf(called), failed, this.#now() - from);
        }
      },
      { step: 'initialize' },
    );
    return client;
  }

  /** As of now. */
  written(): Written {
    const at = this.#now();
    return { by: this.#by, request: this.#request, at, ms: at - this.#startedAt, calls: { ...this.#calls } };
  }

  #add(action: string, failed: boolean, ms: number): void {
    const full = Object.keys(this.#calls).length >= mostKinds;
    const kind = full && this.#calls[action] === undefined ? 'others' : action;
    const { count, errors, ms: before } = this.#calls[kind] ?? { count: 0, errors: 0, ms: 0 };
    this.#calls[kind] = { count: count + 1, errors: errors + (failed ? 1 : 0), ms: before + ms };
  }
}

function actionOf({ clientName = '', commandName = '' }: Called): string {
  return `${prefixes[clientName] ?? clientName}:${commandName.replace(/Command$/, '')}`;
}
