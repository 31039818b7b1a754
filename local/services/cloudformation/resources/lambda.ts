/** AWS::Lambda::* */
import type {
  AliasConfiguration,
  CreateEventSourceMappingCommandOutput,
  FunctionConfiguration,
  ListVersionsByFunctionCommandOutput,
  UpdateEventSourceMappingCommandOutput,
} from '@aws-sdk/client-lambda';
import { strToU8, zipSync } from 'fflate';
import { arn } from '../../../account.ts';
import { same } from '../changes.ts';
import { asText, isObject, type Json, type JsonObject } from '../json.ts';
import {
  mutable,
  objects,
  type Properties,
  type Provisioned,
  type ResourceType,
  required,
  requiredText,
  type Scope,
  type Tagging,
  tagMap,
  textOf,
} from '../resource-type.ts';

const service = 'lambda';

/** A date that makes the archive of inline code the same each time. */
const archiveDate = new Date(1980, 0, 1);

/** `Code` as CreateFunction takes it; inline source becomes an archive with one file, `index` with the runtime's extension. */
function code(properties: Properties): JsonObject {
  const given = required(properties, 'Code');
  if (!isObject(given)) throw new Error('Properties validation failed: #/Code: expected an object');
  const { ZipFile, SourceKMSKeyArn: _key, ...rest } = given as JsonObject;
  if (ZipFile === undefined) return rest;
  const extension = textOf(properties, 'Runtime')?.startsWith('python') === true ? 'py' : 'js';
  const archive = zipSync(
    { [`index.${extension}`]: [strToU8(asText(ZipFile)), { mtime: archiveDate }] },
    { level: 0 },
  );
  return { ...rest, ZipFile: archive as unknown as Json };
}

async function concurrency(
  scope: Scope,
  FunctionName: string,
  before: Properties,
  after: Properties,
): Promise<void> {
  const { ReservedConcurrentExecutions } = after;
  if (same(ReservedConcurrentExecutions, before['ReservedConcurrentExecutions'])) return;
  await (ReservedConcurrentExecutions === undefined
    ? scope.send(service, 'DeleteFunctionConcurrency', { FunctionName })
    : scope.send(service, 'PutFunctionConcurrency', { FunctionName, ReservedConcurrentExecutions }));
}

async function runtimeManagement(
  scope: Scope,
  FunctionName: string,
  before: Properties,
  after: Properties,
): Promise<void> {
  const config = after['RuntimeManagementConfig'];
  if (!isObject(config) || same(config, before['RuntimeManagementConfig'])) return;
  await scope.send(service, 'PutRuntimeManagementConfig', { ...(config as JsonObject), FunctionName });
}

/** What has operations of its own, or is sent apart. */
function configuration(properties: Properties): Properties {
  const {
    Code: _code,
    Tags: _tags,
    ReservedConcurrentExecutions: _reserved,
    RuntimeManagementConfig: _management,
    ...rest
  } = properties;
  return rest;
}

const tagging: Tagging = {
  service,
  add: 'TagResource',
  remove: 'UntagResource',
  target: ({ attributes }) => ({ Resource: attributes['Arn'] ?? attributes['EventSourceMappingArn']! }),
  map: true,
};

export const lambdaFunction: ResourceType = {
  replacedBy: ['FunctionName', 'PackageType'],
  nameProperty: 'FunctionName',
  tagging,
  async create(scope, properties) {
    const FunctionName = textOf(properties, 'FunctionName') ?? scope.name({ limit: 64 });
    const created = await scope.send<FunctionConfiguration>(service, 'CreateFunction', {
      ...configuration(properties),
      FunctionName,
      Code: code(properties),
      Tags: tagMap(properties['Tags']),
    });
    scope.exists(FunctionName);
    await concurrency(scope, FunctionName, {}, properties);
    await runtimeManagement(scope, FunctionName, {}, properties);
    return { physicalId: FunctionName, attributes: { Arn: created.FunctionArn! } };
  },
  async update(scope, properties, current) {
    const FunctionName = current.physicalId;
    const before = current.properties;
    if (
      !same(properties['Code'], before['Code']) ||
      !same(properties['Architectures'], before['Architectures'])
    ) {
      await scope.send(service, 'UpdateFunctionCode', {
        ...code(properties),
        FunctionName,
        Architectures: properties['Architectures'],
      });
    }
    const { Architectures: _architectures, ...config } = mutable(lambdaFunction, configuration(properties));
    const { Architectures: _before, ...previous } = mutable(lambdaFunction, configuration(before));
    if (!same(config, previous)) {
      // What a property's removal leaves is its default, which Lambda keeps unless told so.
      const cleared = Object.keys(previous).includes('Environment') ? { Environment: {} } : {};
      await scope.send(service, 'UpdateFunctionConfiguration', { ...cleared, ...config, FunctionName });
    }
    await concurrency(scope, FunctionName, before, properties);
    await runtimeManagement(scope, FunctionName, before, properties);
    return current;
  },
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteFunction', { FunctionName: physicalId }),
};

async function versions(scope: Scope, FunctionName: string): Promise<string[]> {
  const found: string[] = [];
  let Marker: string | undefined;
  do {
    const page: ListVersionsByFunctionCommandOutput = await scope.send(service, 'ListVersionsByFunction', {
      FunctionName,
      Marker,
    });
    found.push(...(page.Versions ?? []).map(({ Version }) => Version!));
    Marker = page.NextMarker;
  } while (Marker !== undefined);
  return found;
}

/** Lambda answers the last version again when neither code nor configuration changed: to CloudFormation a failure. */
export const version: ResourceType = {
  async create(scope, properties) {
    const FunctionName = requiredText(properties, 'FunctionName');
    const existing = await versions(scope, FunctionName);
    const published = await scope.send<FunctionConfiguration>(service, 'PublishVersion', properties);
    const { FunctionArn, Version } = published;
    if (existing.includes(Version!)) {
      throw new Error(
        `A version for this Lambda function exists ( ${Version} ). Modify the function to create a new version.`,
      );
    }
    return { physicalId: FunctionArn!, attributes: { Version: Version!, FunctionArn: FunctionArn! } };
  },
  delete: (scope, { properties, attributes }) =>
    scope.send(service, 'DeleteFunction', {
      FunctionName: requiredText(properties, 'FunctionName'),
      Qualifier: attributes['Version'],
    }),
};

function aliasInput({ RoutingConfig, ...properties }: Properties): JsonObject {
  if (!isObject(RoutingConfig)) return properties;
  const weights = objects((RoutingConfig as JsonObject)['AdditionalVersionWeights']).map(
    (weight) => [requiredText(weight, 'FunctionVersion'), required(weight, 'FunctionWeight')] as const,
  );
  return { ...properties, RoutingConfig: { AdditionalVersionWeights: Object.fromEntries(weights) } };
}

export const alias: ResourceType = {
  replacedBy: ['FunctionName', 'Name'],
  async create(scope, properties) {
    const { AliasArn } = await scope.send<AliasConfiguration>(service, 'CreateAlias', aliasInput(properties));
    return { physicalId: AliasArn!, attributes: { AliasArn: AliasArn! } };
  },
  async update(scope, properties, current) {
    await scope.send(service, 'UpdateAlias', { RoutingConfig: {}, ...aliasInput(properties) });
    return current;
  },
  delete: (scope, { properties: { FunctionName, Name } }) =>
    scope.send(service, 'DeleteAlias', { FunctionName, Name }),
};

/** A version or alias at the end of a function's ARN goes to the operations as `Qualifier`. */
function qualified(functionName: string): { FunctionName: string; Qualifier?: string } {
  const parts = functionName.split(':');
  if (parts.length !== 8) return { FunctionName: functionName };
  return { FunctionName: parts.slice(0, 7).join(':'), Qualifier: parts[7]! };
}

export const permission: ResourceType = {
  async create(scope, properties) {
    const StatementId = scope.name({ limit: 100 });
    await scope.send(service, 'AddPermission', {
      ...properties,
      ...qualified(requiredText(properties, 'FunctionName')),
      StatementId,
    });
    return { physicalId: StatementId, attributes: { Id: StatementId } };
  },
  delete: (scope, { physicalId, properties }) =>
    scope.send(service, 'RemovePermission', {
      ...qualified(requiredText(properties, 'FunctionName')),
      StatementId: physicalId,
    }),
};

export const eventSourceMapping: ResourceType = {
  replacedBy: ['EventSourceArn', 'StartingPosition', 'StartingPositionTimestamp', 'SelfManagedEventSource'],
  tagging,
  async create(scope, properties) {
    const { UUID } = await scope.send<CreateEventSourceMappingCommandOutput>(
      service,
      'CreateEventSourceMapping',
      {
        ...properties,
        Tags: tagMap(properties['Tags']),
      },
    );
    return mapping(UUID!);
  },
  async update(scope, properties, { physicalId }) {
    const rest = mutable(eventSourceMapping, properties);
    const { UUID } = await scope.send<UpdateEventSourceMappingCommandOutput>(
      service,
      'UpdateEventSourceMapping',
      {
        ...rest,
        UUID: physicalId,
      },
    );
    return mapping(UUID!);
  },
  delete: (scope, { physicalId }) => scope.send(service, 'DeleteEventSourceMapping', { UUID: physicalId }),
};

function mapping(uuid: string): Provisioned {
  const EventSourceMappingArn = arn('lambda', `event-source-mapping:${uuid}`);
  return { physicalId: uuid, attributes: { Id: uuid, EventSourceMappingArn } };
}

async function putInvokeConfig(scope: Scope, properties: Properties): Promise<Provisioned> {
  await scope.send(service, 'PutFunctionEventInvokeConfig', properties);
  const physicalId = `${requiredText(properties, 'FunctionName')}|${requiredText(properties, 'Qualifier')}`;
  return { physicalId, attributes: {} };
}

export const eventInvokeConfig: ResourceType = {
  replacedBy: ['FunctionName', 'Qualifier'],
  create: putInvokeConfig,
  update: putInvokeConfig,
  delete: (scope, { properties: { FunctionName, Qualifier } }) =>
    scope.send(service, 'DeleteFunctionEventInvokeConfig', { FunctionName, Qualifier }),
};
