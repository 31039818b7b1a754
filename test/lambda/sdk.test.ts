/** The three services by real SDK clients over HTTP, with a bundled function that calls back. */
import {
  CloudWatchLogsClient,
  CreateLogGroupCommand,
  FilterLogEventsCommand,
  ResourceAlreadyExistsException,
} from '@aws-sdk/client-cloudwatch-logs';
import {
  ConditionalCheckFailedException,
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
} from '@aws-sdk/client-dynamodb';
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListVersionsByFunctionCommand,
  PublishVersionCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FastForwardClock } from '../../local/clock.ts';
import { DynamoDb } from '../../local/services/dynamodb/dynamodb.ts';
import { Lambda } from '../../local/services/lambda/lambda.ts';
import { Logs } from '../../local/services/logs/logs.ts';
import { embedded } from '../wire/embedded.ts';
import { role, zip } from './embedded-lambda.ts';

const writer = `
  import { DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
  const client = new DynamoDBClient({});
  export const handler = async ({ pk, raw }) => {
    const Item = { pk: { S: pk }, raw: { B: Buffer.from(raw) } };
    await client.send(new PutItemCommand({ TableName: 'ledger', Item, ConditionExpression: 'attribute_not_exists(pk)' }));
    return { version: process.env.AWS_LAMBDA_FUNCTION_VERSION };
  };`;
const reader = `
  export const handler = async ({ Records }) => {
    for (const { eventName, dynamodb } of Records) console.log(eventName, dynamodb.NewImage.raw.B);
  };`;

const failures: unknown[] = [];
const clock = new FastForwardClock({ speed: 1, onFailure: (failure) => failures.push(failure) });
const logs = new Logs({ clock });
const dynamodb = new DynamoDb({ clock });
let endpoint = '';
const lambda = new Lambda({
  clock,
  sharedOffset: clock.shared,
  endpoint: () => endpoint,
  credentials: () => ({ accessKeyId: 'AKIDTEST', secretAccessKey: 'secret' }),
  code: async () => new Uint8Array(),
  appendLog: (group, stream, line) => logs.append(group, stream, line),
  streams: dynamodb.streams,
  destination: async () => undefined,
  onFailure: (failure) => failures.push(failure),
  coldStartMs: 0,
});
let aws: Awaited<ReturnType<typeof embedded>>;
let lambdaClient: LambdaClient;
let tableClient: DynamoDBClient;
let logsClient: CloudWatchLogsClient;

beforeAll(async () => {
  aws = await embedded(
    { lambda: lambda.operations, dynamodb: dynamodb.operations, logs: logs.operations },
    { authorizer: { authorize: () => undefined } },
  );
  endpoint = aws.endpoint;
  lambdaClient = new LambdaClient(aws.client);
  tableClient = new DynamoDBClient(aws.client);
  logsClient = new CloudWatchLogsClient(aws.client);
});
afterAll(async () => {
  await lambda.close();
  await aws.close();
  await dynamodb.close();
  clock.stop();
});

async function bundle(source: string): Promise<Uint8Array> {
  const { outputFiles } = await build({
    stdin: { contents: source, resolveDir: import.meta.dirname },
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: {
      js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
    },
    write: false,
  });
  return zip({ 'index.mjs': outputFiles[0]!.text });
}

it('a bundled function writes an item by HTTP, the stream brings it to another, whose lines are in the logs', async () => {
  const { TableDescription: table } = await tableClient.send(
    new CreateTableCommand({
      TableName: 'ledger',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  for (const [FunctionName, source] of Object.entries({ writer, reader })) {
    const Code = { ZipFile: await bundle(source) };
    const settings = { Role: role, Runtime: 'nodejs24.x', Handler: 'index.handler', Timeout: 10 } as const;
    await lambdaClient.send(new CreateFunctionCommand({ FunctionName, Code, ...settings }));
  }
  const { FunctionArn } = await lambdaClient.send(new PublishVersionCommand({ FunctionName: 'writer' }));
  await lambdaClient.send(
    new CreateEventSourceMappingCommand({
      FunctionName: 'reader',
      EventSourceArn: table!.LatestStreamArn,
      StartingPosition: 'LATEST',
    }),
  );

  const invoke = () =>
    lambdaClient.send(
      new InvokeCommand({ FunctionName: FunctionArn, Payload: '{"pk":"web","raw":"bytes"}' }),
    );
  const first = await invoke();
  expect(first).toMatchObject({ StatusCode: 200, ExecutedVersion: '1' });
  expect(JSON.parse(first.Payload!.transformToString())).toEqual({ version: '1' });
  const second = await invoke();
  expect(second.FunctionError).toBe('Unhandled');
  expect(JSON.parse(second.Payload!.transformToString())).toMatchObject({
    errorType: 'ConditionalCheckFailedException',
    errorMessage: 'The conditional request failed',
  });

  const { Item } = await tableClient.send(
    new GetItemCommand({ TableName: 'ledger', Key: { pk: { S: 'web' } } }),
  );
  expect(Buffer.from(Item!['raw']!.B!).toString()).toBe('bytes');
  const lines = async () => {
    const { events } = await logsClient.send(
      new FilterLogEventsCommand({ logGroupName: '/aws/lambda/reader', filterPattern: 'INSERT' }),
    );
    return events!.map(({ message }) => message!.split('\t').at(-1));
  };
  await expect
    .poll(async () => lines().catch(() => []))
    .toEqual([`INSERT ${Buffer.from('bytes').toString('base64')}`]);
  expect(failures).toEqual([]);
});

it('errors arrive as the classes of the SDK, with their members', async () => {
  await expect(
    lambdaClient.send(new ListVersionsByFunctionCommand({ FunctionName: 'nobody' })),
  ).rejects.toThrow(ResourceNotFoundException);
  const again = new PutItemCommand({
    TableName: 'ledger',
    Item: { pk: { S: 'web' } },
    ConditionExpression: 'attribute_not_exists(pk)',
    ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
  });
  const failure: unknown = await tableClient.send(again).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(ConditionalCheckFailedException);
  expect((failure as ConditionalCheckFailedException).Item).toMatchObject({ pk: { S: 'web' } });
  const group = new CreateLogGroupCommand({ logGroupName: '/aws/lambda/reader' });
  await expect(logsClient.send(group)).rejects.toThrow(ResourceAlreadyExistsException);
});
