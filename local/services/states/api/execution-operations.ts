/** The operations on executions. */
import type {
  DescribeExecutionCommandInput,
  DescribeExecutionCommandOutput,
  DescribeStateMachineForExecutionCommandInput,
  DescribeStateMachineForExecutionCommandOutput,
  GetExecutionHistoryCommandInput,
  GetExecutionHistoryCommandOutput,
  HistoryEvent,
  ListExecutionsCommandInput,
  ListExecutionsCommandOutput,
  RedriveExecutionCommandInput,
  RedriveExecutionCommandOutput,
  StartExecutionCommandInput,
  StartExecutionCommandOutput,
  StopExecutionCommandInput,
  StopExecutionCommandOutput,
} from '@aws-sdk/client-sfn';
import { AwsError, type Output } from '../../../call.ts';
import type { Execution } from '../execution.ts';
import type { ExecutionStore } from '../execution-store.ts';
import type { StateMachines } from '../state-machines.ts';
import { page, requireLength } from './constraints.ts';

export interface ExecutionDependencies {
  readonly machines: StateMachines;
  readonly executions: ExecutionStore;
  readonly now: () => number;
}

export function executionOperations({ machines, executions, now }: ExecutionDependencies) {
  return {
    StartExecution(input: StartExecutionCommandInput): Output<StartExecutionCommandOutput> {
      const { stateMachineArn = '', name } = input;
      return executions.start(stateMachineArn, {
        ...(name === undefined ? {} : { name }),
        input: input.input ?? '{}',
      });
    },

    StopExecution(input: StopExecutionCommandInput): Output<StopExecutionCommandOutput> {
      requireLength('error', input.error, 256);
      requireLength('cause', input.cause, 32_768);
      const { stopDate } = executions.stop(input.executionArn ?? '', input.error, input.cause);
      return { stopDate: new Date(stopDate ?? now()) };
    },

    RedriveExecution(input: RedriveExecutionCommandInput): Output<RedriveExecutionCommandOutput> {
      return { redriveDate: new Date(executions.redrive(input.executionArn ?? '', input.clientToken)) };
    },

    DescribeExecution(input: DescribeExecutionCommandInput): Output<DescribeExecutionCommandOutput> {
      return described(
        executions.find(input.executionArn ?? ''),
        input.includedData !== 'METADATA_ONLY',
        now(),
      );
    },

    DescribeStateMachineForExecution(
      input: DescribeStateMachineForExecutionCommandInput,
    ): Output<DescribeStateMachineForExecutionCommandOutput> {
      const { revision } = executions.find(input.executionArn ?? '');
      return {
        stateMachineArn: revision.stateMachineArn,
        name: revision.name,
        definition: revision.text,
        roleArn: revision.roleArn,
        updateDate: new Date(revision.updated),
        revisionId: revision.revisionId,
        encryptionConfiguration: { type: 'AWS_OWNED_KEY' },
      };
    },

    ListExecutions(input: ListExecutionsCommandInput): Output<ListExecutionsCommandOutput> {
      const { stateMachineArn, statusFilter, redriveFilter } = input;
      if (stateMachineArn === undefined) {
        throw new AwsError(
          'ValidationException',
          `Must provide a 'stateMachineArn': there are no Map Runs here`,
        );
      }
      machines.find(stateMachineArn);
      const listed = executions
        .of(stateMachineArn)
        .filter(({ status }) => statusFilter === undefined || status === statusFilter)
        .filter(
          ({ redriveCount }) =>
            redriveFilter === undefined || (redriveFilter === 'REDRIVEN') === redriveCount > 0,
        );
      const { items, nextToken } = page(listed, ({ arn }) => arn, input);
      return { executions: items.map(listItem), ...(nextToken === undefined ? {} : { nextToken }) };
    },

    GetExecutionHistory(input: GetExecutionHistoryCommandInput): Output<GetExecutionHistoryCommandOutput> {
      const { history } = executions.find(input.executionArn ?? '');
      const events = input.reverseOrder === true ? history.events.toReversed() : history.events;
      const { items, nextToken } = page(events, ({ id }) => String(id), input);
      const shown = input.includeExecutionData === false ? items.map(withoutData) : [...items];
      return { events: shown, ...(nextToken === undefined ? {} : { nextToken }) };
    },
  };
}

function listItem(execution: Execution) {
  return {
    executionArn: execution.arn,
    stateMachineArn: execution.revision.stateMachineArn,
    name: execution.name,
    status: execution.status,
    startDate: new Date(execution.startDate),
    redriveCount: execution.redriveCount,
    ...(execution.stopDate === undefined ? {} : { stopDate: new Date(execution.stopDate) }),
    ...(execution.redriveDate === undefined ? {} : { redriveDate: new Date(execution.redriveDate) }),
  };
}

function described(
  execution: Execution,
  withData: boolean,
  now: number,
): Output<DescribeExecutionCommandOutput> {
  const { input, output, error, cause } = execution;
  const reason = execution.notRedrivable(now);
  const included = { included: true };
  return {
    ...listItem(execution),
    ...(withData ? { input, inputDetails: included } : {}),
    ...(withData && output !== undefined ? { output, outputDetails: included } : {}),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    redriveStatus: reason === undefined ? 'REDRIVABLE' : 'NOT_REDRIVABLE',
    ...(reason === undefined ? {} : { redriveStatusReason: reason }),
  };
}

/** Inputs and outputs go; the other details, a task's parameters among them, stay, as with AWS. */
function withoutData(event: HistoryEvent): HistoryEvent {
  const bare = Object.entries(event).map(([name, value]: [string, unknown]) => {
    if (!name.endsWith('EventDetails') || typeof value !== 'object' || value === null) return [name, value];
    const kept = Object.entries(value).filter(
      ([member]) =>
        ![
          'input',
          'inputDetails',
          'output',
          'outputDetails',
          'assignedVariables',
          'assignedVariablesDetails',
        ].includes(member),
    );
    return [name, Object.fromEntries(kept)];
  });
  return Object.fromEntries(bare) as HistoryEvent;
}
