/** Executions of Step Functions. */
import { DescribeExecutionCommand, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ExecutionStatus } from '../core/deployment/recovery.ts';
import type { Executions } from '../ports/executions.ts';
import { calling, codeOf } from './failures.ts';

export class SfnExecutions implements Executions {
  readonly #client: SFNClient;

  constructor(client: SFNClient) {
    this.#client = client;
  }

  async status(executionArn: string): Promise<ExecutionStatus> {
    return calling(`asking how ${executionArn} stands`, async () => {
      try {
        const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn }));
        return status ?? 'unknown';
      } catch (thrown) {
        // Kept for 90 days after its end, so it has ended.
        if (codeOf(thrown) === 'ExecutionDoesNotExist') return 'unknown';
        throw thrown;
      }
    });
  }

  async start(stateMachineArn: string, name: string, input: object): Promise<void> {
    await calling(`starting ${name}`, async () => {
      try {
        await this.#client.send(
          new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }),
        );
      } catch (thrown) {
        if (codeOf(thrown) !== 'ExecutionAlreadyExists') throw thrown;
      }
    });
  }
}
