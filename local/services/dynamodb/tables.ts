/** The operations on tables: create, describe, update, delete, tags, backups' settings. */
import type {
  CreateTableCommandInput,
  CreateTableCommandOutput,
  DeleteTableCommandInput,
  DeleteTableCommandOutput,
  DescribeContinuousBackupsCommandInput,
  DescribeContinuousBackupsCommandOutput,
  DescribeTableCommandInput,
  DescribeTableCommandOutput,
  ListTablesCommandInput,
  ListTablesCommandOutput,
  ListTagsOfResourceCommandInput,
  ListTagsOfResourceCommandOutput,
  TableDescription,
  TagResourceCommandInput,
  UntagResourceCommandInput,
  UpdateContinuousBackupsCommandInput,
  UpdateContinuousBackupsCommandOutput,
  UpdateTableCommandInput,
  UpdateTableCommandOutput,
} from '@aws-sdk/client-dynamodb';
import { AwsError, type Operations, type Output } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import { toJson } from './attribute-values.ts';
import type { Engine } from './engine.ts';
import type { Streams } from './streams.ts';
import { describeNewTable, describeUpdatedTable, type Table } from './table.ts';

export class Tables {
  readonly #clock: Clock;
  readonly #engine: Engine;
  readonly #streams: Streams;
  readonly #tables = new Map<string, Table>();

  constructor(options: { clock: Clock; engine: Engine; streams: Streams }) {
    this.#clock = options.clock;
    this.#engine = options.engine;
    this.#streams = options.streams;
  }

  find(nameOrArn: string): Table | undefined {
    return this.#tables.get(nameOrArn.split('/').at(-1)!);
  }

  /** By name or ARN; throws ResourceNotFoundException. */
  named(nameOrArn: string): Table {
    const table = this.find(nameOrArn);
    if (table === undefined) {
      throw new AwsError(
        'ResourceNotFoundException',
        `Requested resource not found: Table: ${nameOrArn} not found`,
      );
    }
    return table;
  }

  readonly operations: Operations = {
    CreateTable: async (input: CreateTableCommandInput): Promise<Output<CreateTableCommandOutput>> => {
      this.#engine.check('CreateTable', toJson(input));
      const name = input.TableName!;
      if (this.#tables.has(name)) {
        throw new AwsError('ResourceInUseException', `Table already exists: ${name}`);
      }
      const table: Table = {
        name,
        description: describeNewTable(input, new Date(this.#clock.now()), this.#streams),
        tags: new Map((input.Tags ?? []).map((tag) => [tag.Key!, tag.Value!])),
        timeToLive: undefined,
        pointInTimeRecovery: undefined,
      };
      this.#tables.set(name, table);
      await this.#save(table);
      return { TableDescription: { ...table.description, TableStatus: 'CREATING' } };
    },

    DescribeTable: (input: DescribeTableCommandInput): Output<DescribeTableCommandOutput> => ({
      Table: this.named(input.TableName!).description,
    }),

    ListTables: (input: ListTablesCommandInput): Output<ListTablesCommandOutput> => {
      const names = [...this.#tables.keys()]
        .sort()
        .filter((name) => name > (input.ExclusiveStartTableName ?? ''));
      const taken = names.slice(0, input.Limit ?? 100);
      return {
        TableNames: taken,
        ...(taken.length < names.length ? { LastEvaluatedTableName: taken.at(-1) } : {}),
      };
    },

    UpdateTable: async (input: UpdateTableCommandInput): Promise<Output<UpdateTableCommandOutput>> => {
      const table = this.named(input.TableName!);
      table.description = describeUpdatedTable(
        table.description,
        input,
        new Date(this.#clock.now()),
        this.#streams,
      );
      await this.#save(table);
      return { TableDescription: { ...table.description, TableStatus: 'UPDATING' } };
    },

    DeleteTable: async (input: DeleteTableCommandInput): Promise<Output<DeleteTableCommandOutput>> => {
      const { name, description } = this.named(input.TableName!);
      if (description.DeletionProtectionEnabled === true) {
        throw new AwsError(
          'ValidationException',
          'Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.',
        );
      }
      this.#tables.delete(name);
      this.#streams.end(name);
      await this.#engine.deleteTable(name, [
        ...(description.LocalSecondaryIndexes ?? []).map((index) => ({
          type: 'Local' as const,
          name: index.IndexName!,
        })),
        ...(description.GlobalSecondaryIndexes ?? []).map((index) => ({
          type: 'Global' as const,
          name: index.IndexName!,
        })),
      ]);
      return { TableDescription: { ...description, TableStatus: 'DELETING' } };
    },

    TagResource: (input: TagResourceCommandInput) => {
      const { tags } = this.named(input.ResourceArn!);
      for (const tag of input.Tags ?? []) tags.set(tag.Key!, tag.Value!);
      return {};
    },

    UntagResource: (input: UntagResourceCommandInput) => {
      const { tags } = this.named(input.ResourceArn!);
      for (const key of input.TagKeys ?? []) tags.delete(key);
      return {};
    },

    // One page: AWS allows 50 tags.
    ListTagsOfResource: (input: ListTagsOfResourceCommandInput): Output<ListTagsOfResourceCommandOutput> => ({
      Tags: [...this.named(input.ResourceArn!).tags].map(([Key, Value]) => ({ Key, Value })),
    }),

    DescribeContinuousBackups: (
      input: DescribeContinuousBackupsCommandInput,
    ): Output<DescribeContinuousBackupsCommandOutput> => ({
      ContinuousBackupsDescription: this.#backups(this.named(input.TableName!)),
    }),

    UpdateContinuousBackups: (
      input: UpdateContinuousBackupsCommandInput,
    ): Output<UpdateContinuousBackupsCommandOutput> => {
      const table = this.named(input.TableName!);
      table.pointInTimeRecovery = {
        enabled: input.PointInTimeRecoverySpecification?.PointInTimeRecoveryEnabled === true,
        since: new Date(this.#clock.now()),
      };
      return { ContinuousBackupsDescription: this.#backups(table) };
    },
  };

  #backups(table: Table) {
    const recovery = table.pointInTimeRecovery;
    return {
      ContinuousBackupsStatus: 'ENABLED' as const,
      PointInTimeRecoveryDescription:
        recovery?.enabled === true
          ? {
              PointInTimeRecoveryStatus: 'ENABLED' as const,
              RecoveryPeriodInDays: 35,
              EarliestRestorableDateTime: recovery.since,
              LatestRestorableDateTime: new Date(this.#clock.now()),
            }
          : { PointInTimeRecoveryStatus: 'DISABLED' as const },
    };
  }

  async #save({ name, description }: Table): Promise<void> {
    await this.#engine.saveTable(name, toJson(schemaOf(description)));
  }
}

/** The part of a table that dynalite's actions read. */
function schemaOf(description: TableDescription) {
  const {
    TableName,
    TableStatus,
    AttributeDefinitions,
    KeySchema,
    LocalSecondaryIndexes,
    GlobalSecondaryIndexes,
  } = description;
  return {
    TableName,
    TableStatus,
    AttributeDefinitions,
    KeySchema,
    LocalSecondaryIndexes,
    GlobalSecondaryIndexes,
  };
}
