/** Waits of Step Functions, ended by their task token. */
import { SendTaskFailureCommand, SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { ErrorName } from '../core/errors.ts';
import type { Waits } from '../ports/waits.ts';
import { calling, codeOf } from './failures.ts';

/** https://docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskFailure.html */
const causeLimit = 32_768;

/** The wait has ended already, by a timeout, another signal or the end of its execution. */
const ended = new Set(['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken']);

export class SfnWaits implements Waits {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async succeed(token: string): Promise<void> {
    await this.#end('ending a wait', () =>
      this.#client.send(new SendTaskSuccessCommand({ taskToken: token, output: '{}' })),
    );
  }

  async fail(token: string, error: ErrorName, cause: string): Promise<void> {
    await this.#end(`ending a wait with ${error}`, () =>
      this.#client.send(
        new SendTaskFailureCommand({ taskToken: token, error, cause: cause.slice(0, causeLimit) }),
      ),
    );
  }

  async #end(doing: string, send: () => Promise<unknown>): Promise<void> {
    await calling(doing, async () => {
      try {
        await send();
      } catch (thrown) {
        if (!ended.has(codeOf(thrown))) throw thrown;
      }
    });
  }
}
