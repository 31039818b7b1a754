/** A table as DescribeTable shows it, and what other operations set on it. */
import { randomUUID } from 'node:crypto';
import type {
  CreateTableCommandInput,
  SSEDescription,
  SSESpecification,
  StreamSpecification,
  TableDescription,
  UpdateTableCommandInput,
} from '@aws-sdk/client-dynamodb';
import { arn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { Streams } from './streams.ts';

export interface Table {
  readonly name: string;
  description: TableDescription;
  readonly tags: Map<string, string>;
  timeToLive: { attribute: string; enabled: boolean } | undefined;
  pointInTimeRecovery: { enabled: boolean; since: Date } | undefined;
}

function tableArn(name: string): string {
  return arn('dynamodb', `table/${name}`);
}

export function keyNames(description: TableDescription): string[] {
  return (description.KeySchema ?? []).map((element) => element.AttributeName!);
}

/** The description of a new table; its stream is opened when the input asks for one. */
export function describeNewTable(
  input: CreateTableCommandInput,
  now: Date,
  streams: Streams,
): TableDescription {
  const name = input.TableName!;
  const onDemand = input.BillingMode === 'PAY_PER_REQUEST';
  const capacity = { ReadCapacityUnits: 0, WriteCapacityUnits: 0, NumberOfDecreasesToday: 0 };
  const index = (indexName: string) => ({
    IndexArn: `${tableArn(name)}/index/${indexName}`,
    IndexSizeBytes: 0,
    ItemCount: 0,
  });
  const description: TableDescription = {
    TableName: name,
    TableArn: tableArn(name),
    TableId: randomUUID(),
    TableStatus: 'ACTIVE',
    CreationDateTime: now,
    TableSizeBytes: 0,
    ItemCount: 0,
    AttributeDefinitions: input.AttributeDefinitions,
    KeySchema: input.KeySchema,
    ProvisionedThroughput: { ...capacity, ...input.ProvisionedThroughput },
    DeletionProtectionEnabled: input.DeletionProtectionEnabled ?? false,
    TableClassSummary: { TableClass: input.TableClass ?? 'STANDARD' },
    ...(onDemand
      ? { BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST', LastUpdateToPayPerRequestDateTime: now } }
      : {}),
    ...(input.LocalSecondaryIndexes === undefined
      ? {}
      : {
          LocalSecondaryIndexes: input.LocalSecondaryIndexes.map((local) => ({
            ...local,
            ...index(local.IndexName!),
          })),
        }),
    ...(input.GlobalSecondaryIndexes === undefined
      ? {}
      : {
          GlobalSecondaryIndexes: input.GlobalSecondaryIndexes.map((global) => ({
            ...global,
            ...index(global.IndexName!),
            IndexStatus: 'ACTIVE',
            ProvisionedThroughput: { ...capacity, ...global.ProvisionedThroughput },
          })),
        }),
  };
  return {
    ...description,
    ...encryption(input.SSESpecification),
    ...stream(description, input.StreamSpecification, streams),
  };
}

/** The description after UpdateTable. Indexes cannot be added or removed here: refused. */
export function describeUpdatedTable(
  description: TableDescription,
  input: UpdateTableCommandInput,
  now: Date,
  streams: Streams,
): TableDescription {
  if (input.GlobalSecondaryIndexUpdates !== undefined || input.ReplicaUpdates !== undefined) {
    throw new AwsError(
      'ValidationException',
      'The embedded DynamoDB changes neither indexes nor replicas of an existing table: create the table anew.',
    );
  }
  return {
    ...description,
    ...(input.AttributeDefinitions === undefined ? {} : { AttributeDefinitions: input.AttributeDefinitions }),
    ...(input.DeletionProtectionEnabled === undefined
      ? {}
      : { DeletionProtectionEnabled: input.DeletionProtectionEnabled }),
    ...(input.TableClass === undefined ? {} : { TableClassSummary: { TableClass: input.TableClass } }),
    ...(input.BillingMode === undefined ? {} : { BillingModeSummary: { BillingMode: input.BillingMode } }),
    ...(input.BillingMode === 'PAY_PER_REQUEST'
      ? { BillingModeSummary: { BillingMode: input.BillingMode, LastUpdateToPayPerRequestDateTime: now } }
      : {}),
    ...(input.ProvisionedThroughput === undefined
      ? {}
      : { ProvisionedThroughput: { NumberOfDecreasesToday: 0, ...input.ProvisionedThroughput } }),
    ...encryption(input.SSESpecification),
    ...stream(description, input.StreamSpecification, streams),
  };
}

function encryption(specification: SSESpecification | undefined): { SSEDescription?: SSEDescription } {
  if (specification?.Enabled !== true) return {};
  return {
    SSEDescription: {
      Status: 'ENABLED',
      SSEType: 'KMS',
      KMSMasterKeyArn: specification.KMSMasterKeyId ?? arn('kms', 'alias/aws/dynamodb'),
    },
  };
}

function stream(
  description: TableDescription,
  specification: StreamSpecification | undefined,
  streams: Streams,
): Partial<TableDescription> {
  if (specification === undefined) return {};
  const enabled = description.StreamSpecification?.StreamEnabled === true;
  if (specification.StreamEnabled === true) {
    if (enabled)
      throw new AwsError(
        'ValidationException',
        `Table already has an enabled stream: TableName: ${description.TableName}`,
      );
    const viewType = specification.StreamViewType;
    if (viewType === undefined) {
      throw new AwsError(
        'ValidationException',
        'One or more parameter values were invalid: StreamViewType is required when StreamEnabled is true',
      );
    }
    const { arn: streamArn, label } = streams.open(description.TableName!, viewType, keyNames(description));
    return { StreamSpecification: specification, LatestStreamArn: streamArn, LatestStreamLabel: label };
  }
  if (!enabled) {
    throw new AwsError(
      'ValidationException',
      `Table has no stream to disable: TableName: ${description.TableName}`,
    );
  }
  streams.end(description.TableName!);
  return { StreamSpecification: undefined };
}
