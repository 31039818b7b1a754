import { CloudWatchClient, DescribeAlarmsCommand, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { ConditionalCheckFailedException, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { DescribeVpcsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { ClusterNotFoundException, DescribeServicesCommand, ECSClient } from '@aws-sdk/client-ecs';
import {
  DescribeRulesCommand,
  ElasticLoadBalancingV2Client,
  ModifyRuleCommand,
  RuleNotFoundException,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import {
  GetFunctionCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionsCommand,
  ResourceNotFoundException,
} from '@aws-sdk/client-lambda';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import { GetQueueUrlCommand, QueueDoesNotExist, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AwsError, type Call } from '../../local/call.ts';
import { embedded } from './embedded.ts';

const arn = (rest: string) => `arn:aws:${rest}`;
const seen: { operation: string; input: unknown; call: Call }[] = [];

/** An operation that remembers its input and answers `output`, or throws it when it is an error. */
function fake(operation: string, output: object) {
  return (input: unknown, call: Call) => {
    seen.push({ operation, input, call });
    if (output instanceof Error) throw output;
    return output;
  };
}

const createdAt = new Date('2026-02-03T04:05:06.789Z');
const rule = {
  RuleArn: arn('elasticloadbalancing:us-east-1:123456789012:listener-rule/app/lb/1/2/3'),
  Priority: '10',
  Conditions: [
    { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'x-slot', Values: ['blue', 'a&b<c>'] } },
  ],
  Actions: [
    {
      Type: 'forward' as const,
      ForwardConfig: {
        TargetGroups: [
          { TargetGroupArn: 'tg-blue', Weight: 90 },
          { TargetGroupArn: 'tg-green', Weight: 10 },
        ],
      },
    },
  ],
  IsDefault: false,
};

const services = {
  ecs: {
    DescribeServices: fake('DescribeServices', {
      services: [{ serviceName: 'web-g0001', createdAt, runningCount: 3 }],
    }),
    CreateService: fake('CreateService', new AwsError('ClusterNotFoundException', 'Cluster not found.')),
    DeleteService: fake('DeleteService', new TypeError('a bug')),
  },
  dynamodb: {
    PutItem: fake(
      'PutItem',
      new AwsError('ConditionalCheckFailedException', 'The conditional request failed', {
        members: { Item: { fence: { N: '7' }, raw: { B: Buffer.from('ab') } } },
      }),
    ),
  },
  elbv2: {
    DescribeRules: fake('DescribeRules', { Rules: [rule], NextMarker: 'more' }),
    ModifyRule: fake('ModifyRule', { Rules: [rule] }),
    DeleteRule: fake('DeleteRule', new AwsError('RuleNotFoundException', 'One or more rules not found')),
    SetRulePriorities: fake('SetRulePriorities', { Rules: [] }),
  },
  cloudwatch: {
    DescribeAlarms: fake('DescribeAlarms', {
      MetricAlarms: [
        { AlarmName: 'red', StateValue: 'ALARM', StateUpdatedTimestamp: createdAt, Threshold: 0.5 },
      ],
    }),
    PutMetricData: fake('PutMetricData', {}),
  },
  sqs: {
    GetQueueUrl: fake(
      'GetQueueUrl',
      new AwsError('QueueDoesNotExist', 'The specified queue does not exist.'),
    ),
  },
  sns: { Publish: fake('Publish', { MessageId: 'm-1' }) },
  lambda: {
    Invoke: fake('Invoke', {
      StatusCode: 200,
      FunctionError: 'Unhandled',
      ExecutedVersion: '3',
      Payload: Buffer.from('{"errorType":"Error"}'),
    }),
    GetFunction: fake('GetFunction', new AwsError('ResourceNotFoundException', 'Function not found')),
    ListFunctions: fake('ListFunctions', {
      Functions: [{ FunctionName: 'shift', Timeout: 30 }],
      NextMarker: 'next',
    }),
  },
  ec2: { DescribeVpcs: fake('DescribeVpcs', { Vpcs: [{ VpcId: 'vpc-1', IsDefault: false }] }) },
};

let aws: Awaited<ReturnType<typeof embedded>>;
beforeAll(async () => {
  aws = await embedded(services);
});
afterAll(() => aws.close());

describe('json', () => {
  it('carries input and output of ECS (1.1), dates included', async () => {
    const ecs = new ECSClient(aws.client);
    const output = await ecs.send(new DescribeServicesCommand({ cluster: 'main', services: ['web-g0001'] }));
    expect(output.services).toEqual([{ serviceName: 'web-g0001', createdAt, runningCount: 3 }]);
    expect(seen.at(-1)).toMatchObject({
      input: { cluster: 'main', services: ['web-g0001'] },
      call: { principal: { kind: 'root' }, endpoint: aws.endpoint },
    });
  });

  it('gives errors of DynamoDB (1.0) as the SDK classes, members included', async () => {
    const dynamodb = new DynamoDBClient(aws.client);
    const put = dynamodb.send(new PutItemCommand({ TableName: 't', Item: { pk: { S: 'web' } } }));
    const failure = await put.catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ConditionalCheckFailedException);
    expect(failure).toMatchObject({
      message: 'The conditional request failed',
      Item: { fence: { N: '7' }, raw: { B: new Uint8Array([97, 98]) } },
      $metadata: { httpStatusCode: 400 },
    });
  });

  it('tells query-compatible services their old codes', async () => {
    const sqs = new SQSClient(aws.client);
    const failure = await sqs
      .send(new GetQueueUrlCommand({ QueueName: 'none' }))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(QueueDoesNotExist);
    expect(failure).toMatchObject({ Code: 'AWS.SimpleQueueService.NonExistentQueue' });
  });

  it('reads compressed requests', async () => {
    const cloudwatch = new CloudWatchClient({ ...aws.client, requestMinCompressionSizeBytes: 0 });
    await cloudwatch.send(
      new PutMetricDataCommand({
        Namespace: 'Cutover',
        MetricData: [{ MetricName: 'm', Value: 1.5, Timestamp: createdAt }],
      }),
    );
    expect(seen.at(-1)?.input).toEqual({
      Namespace: 'Cutover',
      MetricData: [{ MetricName: 'm', Value: 1.5, Timestamp: createdAt }],
    });
  });

  it('answers SerializationException to a body that is no JSON', async () => {
    const response = await post({ 'x-amz-target': 'X.DescribeServices' }, '{', 'ecs');
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ __type: 'SerializationException' });
  });
});

describe('query', () => {
  it('carries nested lists both ways', async () => {
    const elbv2 = new ElasticLoadBalancingV2Client(aws.client);
    const { Rules } = await elbv2.send(
      new ModifyRuleCommand({ RuleArn: rule.RuleArn, Conditions: rule.Conditions, Actions: rule.Actions }),
    );
    expect(Rules).toEqual([rule]);
    expect(seen.at(-1)?.input).toEqual({
      RuleArn: rule.RuleArn,
      Conditions: rule.Conditions,
      Actions: rule.Actions,
    });
  });

  it('keeps an empty list apart from an absent one', async () => {
    const elbv2 = new ElasticLoadBalancingV2Client(aws.client);
    await elbv2.send(new DescribeRulesCommand({ RuleArns: [] }));
    expect(seen.at(-1)?.input).toEqual({ RuleArns: [] });
  });

  it('carries maps', async () => {
    const sns = new SNSClient(aws.client);
    const MessageAttributes = { kind: { DataType: 'String', StringValue: 'restored' } };
    await sns.send(new PublishCommand({ TopicArn: 'arn:aws:sns:::t', Message: 'm', MessageAttributes }));
    expect(seen.at(-1)?.input).toEqual({ TopicArn: 'arn:aws:sns:::t', Message: 'm', MessageAttributes });
  });

  it('gives errors under their wire codes, found by the SDK as classes', async () => {
    const { DeleteRuleCommand } = await import('@aws-sdk/client-elastic-load-balancing-v2');
    const elbv2 = new ElasticLoadBalancingV2Client(aws.client);
    const failure = await elbv2
      .send(new DeleteRuleCommand({ RuleArn: 'r' }))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(RuleNotFoundException);
    expect(failure).toMatchObject({ Code: 'RuleNotFound', message: 'One or more rules not found' });
  });

  it('serves CloudWatch, which today is spoken to by JSON', async () => {
    const response = await post(
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Action=DescribeAlarms&Version=2010-08-01&AlarmNames.member.1=red&MaxRecords=5',
      'monitoring',
    );
    expect(await response.text()).toContain(
      '<StateUpdatedTimestamp>2026-02-03T04:05:06.789Z</StateUpdatedTimestamp>',
    );
    expect(seen.at(-1)?.input).toEqual({ AlarmNames: ['red'], MaxRecords: 5 });
    const { MetricAlarms } = await new CloudWatchClient(aws.client).send(new DescribeAlarmsCommand({}));
    expect(MetricAlarms).toEqual([
      { AlarmName: 'red', StateValue: 'ALARM', StateUpdatedTimestamp: createdAt, Threshold: 0.5 },
    ]);
  });

  it("speaks EC2's dialect", async () => {
    const ec2 = new EC2Client(aws.client);
    const Filters = [{ Name: 'tag:Name', Values: ['main', 'other'] }];
    const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ Filters, VpcIds: ['vpc-1'] }));
    expect(Vpcs).toEqual([{ VpcId: 'vpc-1', IsDefault: false }]);
    expect(seen.at(-1)?.input).toEqual({ Filters, VpcIds: ['vpc-1'] });
  });
});

describe('rest json', () => {
  it('carries path, headers and payload', async () => {
    const lambda = new LambdaClient(aws.client);
    const FunctionName = arn('lambda:us-east-1:123456789012:function:shift:3');
    const output = await lambda.send(
      new InvokeCommand({ FunctionName, InvocationType: 'RequestResponse', Payload: Buffer.from('{"a":1}') }),
    );
    expect(output).toMatchObject({ StatusCode: 200, FunctionError: 'Unhandled', ExecutedVersion: '3' });
    expect(Buffer.from(output.Payload!).toString()).toBe('{"errorType":"Error"}');
    const { input } = seen.at(-1)!;
    expect(input).toMatchObject({ FunctionName, InvocationType: 'RequestResponse' });
    expect(Buffer.from((input as { Payload: Uint8Array }).Payload).toString()).toBe('{"a":1}');
  });

  it('carries query parameters', async () => {
    const lambda = new LambdaClient(aws.client);
    const output = await lambda.send(new ListFunctionsCommand({ MaxItems: 1, Marker: 'a b' }));
    expect(output).toMatchObject({ Functions: [{ FunctionName: 'shift', Timeout: 30 }], NextMarker: 'next' });
    expect(seen.at(-1)?.input).toEqual({ MaxItems: 1, Marker: 'a b' });
  });

  it('gives errors as the SDK classes', async () => {
    const lambda = new LambdaClient(aws.client);
    const failure = await lambda
      .send(new GetFunctionCommand({ FunctionName: 'none' }))
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ResourceNotFoundException);
    expect(failure).toMatchObject({ message: 'Function not found', $metadata: { httpStatusCode: 404 } });
  });
});

describe('what cannot be served', () => {
  it('an operation that the embedded AWS does not have', async () => {
    const { ListClustersCommand } = await import('@aws-sdk/client-ecs');
    const json = new ECSClient(aws.client).send(new ListClustersCommand({}));
    await expect(json).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: 'The embedded AWS does not have ecs ListClusters.',
    });
    const { DescribeLoadBalancersCommand } = await import('@aws-sdk/client-elastic-load-balancing-v2');
    const query = new ElasticLoadBalancingV2Client(aws.client).send(new DescribeLoadBalancersCommand({}));
    await expect(query).rejects.toMatchObject({ name: 'InvalidAction' });
    const { ListAliasesCommand } = await import('@aws-sdk/client-lambda');
    const rest = new LambdaClient(aws.client).send(new ListAliasesCommand({ FunctionName: 'f' }));
    await expect(rest).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });

  it('a service that the embedded AWS does not have', async () => {
    const response = await post({ 'x-amz-target': 'Kinesis.ListStreams' }, '{}', 'kinesis');
    expect(await response.json()).toMatchObject({
      message: 'The embedded AWS does not have the service "kinesis".',
    });
  });

  it('a request without signature', async () => {
    const response = await fetch(aws.endpoint, {
      method: 'POST',
      headers: { 'x-amz-target': 'X.DescribeServices' },
      body: '{}',
    });
    expect(await response.json()).toMatchObject({ __type: 'MissingAuthenticationTokenException' });
  });

  it.each([
    { service: 'ecs', target: 'X.DescribeServices', body: '{}', code: 'InvalidParameterException' },
    {
      service: 'dynamodb',
      target: 'X.PutItem',
      body: '{}',
      code: 'ValidationException',
      message:
        "2 validation errors detected: Value null at 'tableName' failed to satisfy constraint: Member must not be null; " +
        "Value null at 'item' failed to satisfy constraint: Member must not be null",
    },
    {
      service: 'sqs',
      target: 'X.GetQueueUrl',
      body: '{}',
      code: 'MissingParameter',
      message: 'The request must contain the parameter QueueName.',
    },
  ])('$service without required members: $code', async ({ service, target, body, code, message }) => {
    const response = await post({ 'x-amz-target': target }, body, service);
    expect(await response.json()).toMatchObject({
      __type: code,
      ...(message === undefined ? {} : { message }),
    });
  });

  it('required members of list items, by their path', async () => {
    const response = await post(
      { 'content-type': 'application/x-www-form-urlencoded' },
      'Action=SetRulePriorities',
      'elasticloadbalancing',
    );
    expect(response.status).toBe(400);
    const xml = await response.text();
    expect(xml).toContain('<Code>ValidationError</Code>');
    expect(xml).toContain('Value null at &apos;rulePriorities&apos; failed to satisfy constraint');
  });

  it('an exception that is no AWS error: InternalFailure, and told', async () => {
    const { DeleteServiceCommand } = await import('@aws-sdk/client-ecs');
    const failed = new ECSClient(aws.client).send(new DeleteServiceCommand({ service: 'web' }));
    await expect(failed).rejects.toMatchObject({
      name: 'InternalFailure',
      $metadata: { httpStatusCode: 500 },
    });
    expect(aws.onFailure).toHaveBeenCalledExactlyOnceWith(new TypeError('a bug'));
  });

  it('a modelled error thrown by an operation', async () => {
    const { CreateServiceCommand } = await import('@aws-sdk/client-ecs');
    const failed = new ECSClient(aws.client).send(new CreateServiceCommand({ serviceName: 'web-g0001' }));
    await expect(failed).rejects.toBeInstanceOf(ClusterNotFoundException);
  });
});

function post(headers: Record<string, string>, body: string, service: string): Promise<Response> {
  const authorization = `AWS4-HMAC-SHA256 Credential=AKID/20260101/us-east-1/${service}/aws4_request, SignedHeaders=host, Signature=0`;
  return fetch(aws.endpoint, { method: 'POST', headers: { authorization, ...headers }, body });
}
