/** "Step Functions Execution Status Change", put on the bus when an execution starts, is redriven and ends. */
// https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
import type { AwsEvent } from '../../aws-event.ts';
import type { Execution } from './execution.ts';

/** Input and output together; larger ones are left out of the event. */
const maximumDataBytes = 248 * 1024;

export function statusEvent(execution: Execution, now: number): AwsEvent {
  const { input, output } = execution;
  const included = Buffer.byteLength(input) + Buffer.byteLength(output ?? '') <= maximumDataBytes;
  const reason = execution.notRedrivable(now);
  return {
    source: 'aws.states',
    detailType: 'Step Functions Execution Status Change',
    resources: [execution.arn],
    detail: {
      executionArn: execution.arn,
      stateMachineArn: execution.revision.stateMachineArn,
      name: execution.name,
      status: execution.status,
      startDate: execution.startDate,
      stopDate: execution.stopDate ?? null,
      input: included ? input : null,
      output: included ? (output ?? null) : null,
      inputDetails: { included },
      outputDetails: output === undefined ? null : { included },
      error: execution.error ?? null,
      cause: execution.cause ?? null,
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: execution.redriveCount,
      redriveDate: execution.redriveDate ?? null,
      redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
      redriveStatusReason: reason ?? null,
    },
  };
}
