/** AWS::DynamoDB::Table */
import type {
  CreateTableCommandOutput,
  DescribeTableCommandOutput,
  TableDescription,
} from '@aws-sdk/client-dynamodb';
import { same } from '../changes.ts';
import { isObject, type Json, type JsonObject } from '../json.ts';
import {
  objects,
  type Properties,
  type Provisioned,
  type ResourceType,
  required,
  type Scope,
} from '../resource-type.ts';

/** A table becomes active within seconds; CloudFormation gives it far longer. */
const activeWithinMs = 10 * 60_000;

const service = 'dynamodb';

function stream(specification: Json | undefined): JsonObject | undefined {
  return isObject(specification) ? { ...(specification as JsonObject), StreamEnabled: true } : undefined;
}

function encryption(specification: Json | undefined): JsonObject | undefined {
  if (!isObject(specification)) return undefined;
  const { SSEEnabled, ...rest } = specification as JsonObject;
  return { ...rest, Enabled: SSEEnabled ?? true };
}

async function active(scope: Scope, name: string): Promise<TableDescription> {
  return scope.until(`table ${name}`, activeWithinMs, async () => {
    const { Table } = await scope.send<DescribeTableCommandOutput>(service, 'DescribeTable', {
      TableName: name,
    });
    return Table?.TableStatus === 'ACTIVE' ? Table : undefined;
  });
}

function provisioned(table: TableDescription): Provisioned {
  return {
    physicalId: table.TableName!,
    attributes: {
      Arn: table.TableArn!,
      TableId: table.TableId ?? '',
      ...(table.LatestStreamArn === undefined ? {} : { StreamArn: table.LatestStreamArn }),
    },
  };
}

/** Settings that have operations of their own. */
async function settle(scope: Scope, name: string, before: Properties, after: Properties): Promise<void> {
  const timeToLive = after['TimeToLiveSpecification'] ?? disabled(before['TimeToLiveSpecification']);
  if (!same(timeToLive, before['TimeToLiveSpecification'])) {
    await scope.send(service, 'UpdateTimeToLive', { TableName: name, TimeToLiveSpecification: timeToLive });
  }
  const recovery = after['PointInTimeRecoverySpecification'];
  if (!same(recovery, before['PointInTimeRecoverySpecification'])) {
    await scope.send(service, 'UpdateContinuousBackups', {
      TableName: name,
      PointInTimeRecoverySpecification: recovery ?? { PointInTimeRecoveryEnabled: false },
    });
  }
}

function disabled(timeToLive: Json | undefined): Json | undefined {
  return isObject(timeToLive) ? { ...(timeToLive as JsonObject), Enabled: false } : undefined;
}

function ownSettings(properties: Properties): Properties {
  const {
    TimeToLiveSpecification: _ttl,
    PointInTimeRecoverySpecification: _recovery,
    StreamSpecification,
    SSESpecification,
    ...rest
  } = properties;
  const streams = stream(StreamSpecification);
  const encrypted = encryption(SSESpecification);
  return {
    ...rest,
    ...(streams === undefined ? {} : { StreamSpecification: streams }),
    ...(encrypted === undefined ? {} : { SSESpecification: encrypted }),
  };
}

/** DynamoDB creates or deletes one index per update. */
function indexUpdates(before: Properties, after: Properties): JsonObject[] {
  const [had, wanted] = [before, after].map((properties) =>
    objects(properties['GlobalSecondaryIndexes']),
  ) as [JsonObject[], JsonObject[]];
  const names = (indexes: JsonObject[]): Json[] => indexes.map((index) => required(index, 'IndexName'));
  return [
    ...had
      .filter((index) => !names(wanted).includes(index['IndexName']!))
      .map(({ IndexName }) => ({ Delete: { IndexName: IndexName! } })),
    ...wanted
      .filter((index) => !names(had).includes(index['IndexName']!))
      .map((index) => ({ Create: index })),
  ];
}

export const table: ResourceType = {
  replacedBy: ['TableName', 'KeySchema', 'LocalSecondaryIndexes', 'ImportSourceSpecification'],
  nameProperty: 'TableName',
  tagging: {
    service,
    add: 'TagResource',
    remove: 'UntagResource',
    target: ({ attributes }) => ({ ResourceArn: attributes['Arn']! }),
  },
  async create(scope, properties) {
    const name = properties['TableName'] ?? scope.name({ limit: 255 });
    const { TableDescription: created } = await scope.send<CreateTableCommandOutput>(service, 'CreateTable', {
      BillingMode: 'PROVISIONED',
      ...ownSettings(properties),
      TableName: name,
    });
    scope.exists(created!.TableName!);
    const ready = await active(scope, created!.TableName!);
    await settle(scope, created!.TableName!, {}, properties);
    return provisioned(ready);
  },
  async update(scope, properties, { physicalId, properties: before }) {
    const {
      AttributeDefinitions,
      BillingMode,
      ProvisionedThroughput,
      StreamSpecification,
      SSESpecification,
      DeletionProtectionEnabled,
    } = ownSettings(properties);
    const previous = ownSettings(before);
    const changed = Object.fromEntries(
      Object.entries({
        BillingMode,
        ProvisionedThroughput,
        SSESpecification,
        DeletionProtectionEnabled,
      }).filter(([name, value]) => value !== undefined && !same(value, previous[name])),
    );
    const streams = same(StreamSpecification, previous['StreamSpecification'])
      ? undefined
      : (StreamSpecification ?? { StreamEnabled: false });
    if (Object.keys(changed).length > 0 || streams !== undefined) {
      await scope.send(service, 'UpdateTable', {
        TableName: physicalId,
        ...changed,
        StreamSpecification: streams,
      });
      await active(scope, physicalId);
    }
    for (const update of indexUpdates(before, properties)) {
      await scope.send(service, 'UpdateTable', {
        TableName: physicalId,
        AttributeDefinitions,
        GlobalSecondaryIndexUpdates: [update],
      });
      await active(scope, physicalId);
    }
    await settle(scope, physicalId, before, properties);
    return provisioned(await active(scope, physicalId));
  },
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteTable', { TableName: physicalId }),
};
