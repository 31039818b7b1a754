/** A Lambda with real worker threads for tests, and functions written in place. */
import { strToU8, zipSync } from 'fflate';
import { iamArn } from '../../local/account.ts';
import { AwsError, type Call } from '../../local/call.ts';
import { type Clock, FastForwardClock } from '../../local/clock.ts';
import { Lambda, type LambdaOptions } from '../../local/services/lambda/lambda.ts';

export const role = iamArn('role/function');

export function zip(files: Record<string, string>): Uint8Array {
  return zipSync(Object.fromEntries(Object.entries(files).map(([name, text]) => [name, strToU8(text)])));
}

export interface Sent {
  readonly arn: string;
  readonly message: string;
  readonly attributes: Readonly<Record<string, string>> | undefined;
}

export class EmbeddedLambda {
  readonly clock: Clock;
  readonly lambda: Lambda;
  readonly lines: { group: string; stream: string; line: string }[] = [];
  readonly sent: Sent[] = [];
  readonly failures: unknown[] = [];

  constructor(options: Partial<LambdaOptions> = {}) {
    const clock = new FastForwardClock({ speed: 1, onFailure: (failure) => this.failures.push(failure) });
    this.clock = options.clock ?? clock;
    this.lambda = new Lambda({
      clock: this.clock,
      endpoint: () => 'http://127.0.0.1:4566',
      credentials: (roleArn, session) => ({
        accessKeyId: `key of ${roleArn} for ${session}`,
        secretAccessKey: 'secret',
        sessionToken: 'token',
      }),
      code: async () => {
        throw new AwsError('NoSuchKey', 'The specified key does not exist.');
      },
      appendLog: (group, stream, line) => this.lines.push({ group, stream, line }),
      streams: { shards: () => undefined, read: () => [], newest: () => 0, subscribe: () => () => undefined },
      destination: async (arn, message, attributes) => {
        this.sent.push({ arn, message, attributes });
      },
      onFailure: (failure) => this.failures.push(failure),
      coldStartMs: 0,
      ...options,
    });
  }

  /** Calls an operation as the dispatcher does. */
  async call<T = Record<string, unknown>>(operation: string, input: object): Promise<T> {
    const call: Call = {
      principal: { kind: 'root' },
      requestId: 'request',
      endpoint: 'http://127.0.0.1:4566',
    };
    const run = this.lambda.operations[operation] as unknown as (input: object, call: Call) => Promise<T>;
    return run(input, call);
  }

  /** A function of one ESM file. */
  async create(name: string, source: string, options: object = {}): Promise<Record<string, unknown>> {
    return this.call('CreateFunction', {
      FunctionName: name,
      Role: role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile: zip({ 'index.mjs': source }) },
      ...options,
    });
  }

  /** The parsed payload, and the function error if any. */
  async invoke(
    name: string,
    payload: unknown = {},
  ): Promise<{ value: unknown; functionError: string | undefined }> {
    const { payload: text, functionError } = await this.lambda.invoke(name, JSON.stringify(payload));
    return { value: JSON.parse(text), functionError };
  }

  logged(): string[] {
    return this.lines.map(({ line }) => line);
  }
}
