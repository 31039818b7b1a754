/** The history events of a task: AWS has one family for service integrations and one for plain function ARNs. */
import { region } from '../../../account.ts';
import type { StateFailure } from '../failure.ts';
import type { Integration } from '../integrations/integration.ts';
import type { Run } from '../run.ts';

const untruncated = { truncated: false };

export class TaskEvents {
  readonly #run: Run;
  readonly #integration: Integration;

  constructor(run: Run, integration: Integration) {
    this.#run = run;
    this.#integration = integration;
  }

  scheduled(text: string, timeout: number | undefined, heartbeat: number | undefined): void {
    const bounds = {
      ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
      ...(heartbeat === undefined ? {} : { heartbeatInSeconds: heartbeat }),
    };
    const { functionArn } = this.#integration;
    if (functionArn !== undefined) {
      this.#run.append('LambdaFunctionScheduled', {
        lambdaFunctionScheduledEventDetails: {
          resource: functionArn,
          input: text,
          inputDetails: untruncated,
          ...(timeout === undefined ? {} : { timeoutInSeconds: timeout }),
        },
      });
      this.#run.append('LambdaFunctionStarted');
      return;
    }
    this.#run.append('TaskScheduled', {
      taskScheduledEventDetails: { ...this.#resource, region, parameters: text, ...bounds },
    });
    this.#run.append('TaskStarted', { taskStartedEventDetails: this.#resource });
  }

  submitted(output: string): void {
    this.#run.append('TaskSubmitted', {
      taskSubmittedEventDetails: { ...this.#resource, output, outputDetails: untruncated },
    });
  }

  succeeded(output: string): void {
    const details = { output, outputDetails: untruncated };
    if (this.#isFunction)
      this.#run.append('LambdaFunctionSucceeded', { lambdaFunctionSucceededEventDetails: details });
    else this.#run.append('TaskSucceeded', { taskSucceededEventDetails: { ...this.#resource, ...details } });
  }

  failed(failure: StateFailure): void {
    const details = { error: failure.error, cause: failure.failureCause };
    if (this.#isFunction)
      this.#run.append('LambdaFunctionFailed', { lambdaFunctionFailedEventDetails: details });
    else this.#run.append('TaskFailed', { taskFailedEventDetails: { ...this.#resource, ...details } });
  }

  timedOut(failure: StateFailure): void {
    const details = { error: failure.error };
    if (this.#isFunction)
      this.#run.append('LambdaFunctionTimedOut', { lambdaFunctionTimedOutEventDetails: details });
    else this.#run.append('TaskTimedOut', { taskTimedOutEventDetails: { ...this.#resource, ...details } });
  }

  get #isFunction(): boolean {
    return this.#integration.functionArn !== undefined;
  }

  get #resource(): { resourceType: string; resource: string } {
    return { resourceType: this.#integration.resourceType, resource: this.#integration.resource };
  }
}
