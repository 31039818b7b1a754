/** Hooks as Lambda functions: one of ours waits for them, so that no step and no stream has to. */
import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import { CutoverError } from '../core/errors.ts';
import type { DrainCall, HookCall, Hooks, ServiceFunctions } from '../ports/hooks.ts';
import { calling } from './failures.ts';
import { jsonOrNothing } from './json.ts';

export class LambdaHooks implements Hooks {
  readonly #client: LambdaClient;
  readonly #runner: string;

  /** `runner`: ARN of the function that calls hooks. */
  constructor(client: LambdaClient, runner: string) {
    this.#client = client;
    this.#runner = runner;
  }

  async begin(call: HookCall): Promise<void> {
    await calling(`having the hook ${call.key} called`, () => this.#run(call));
  }

  async drain(call: DrainCall): Promise<void> {
    await calling(`having ${call.instance} of ${call.generation} drained`, () => this.#run(call));
  }

  async #run(call: HookCall | DrainCall): Promise<void> {
    await this.#client.send(
      new InvokeCommand({
        FunctionName: this.#runner,
        InvocationType: 'Event',
        Payload: Buffer.from(JSON.stringify(call)),
      }),
    );
  }
}

export class LambdaFunctions implements ServiceFunctions {
  readonly #client: LambdaClient;

  constructor(client: LambdaClient) {
    this.#client = client;
  }

  async call(FunctionName: string, input: unknown, timeoutMs: number): Promise<unknown> {
    return calling(`calling ${FunctionName}`, async () => {
      const { FunctionError, Payload } = await this.#client.send(
        new InvokeCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(input)) }),
        { abortSignal: AbortSignal.timeout(timeoutMs) },
      );
      const text = Payload === undefined ? '' : Buffer.from(Payload).toString();
      // What it threw, or that it took too long: it answered nothing, and may the next time.
      if (FunctionError !== undefined)
        throw new CutoverError('Cutover.AwsUnavailable', `${FunctionName} failed: ${messageIn(text)}`);
      return jsonOrNothing(text);
    });
  }
}

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html */
function messageIn(text: string): string {
  const thrown = jsonOrNothing(text);
  return typeof thrown === 'object' && thrown !== null && 'errorMessage' in thrown
    ? String(thrown.errorMessage)
    : text;
}
