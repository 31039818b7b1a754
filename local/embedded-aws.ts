/**
 * The embedded AWS: every service, wired as in an account, behind one port. What is provisioned into it is the
 * synthesized template, through CloudFormation's own API.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DescribeSubnetsCommandOutput } from '@aws-sdk/client-ec2';
import type { AwsEvent, Emit } from './aws-event.ts';
import type { Call } from './call.ts';
import type { Clock } from './clock.ts';
import { iamOperations } from './iam/operations.ts';
import { PolicyAuthorizer } from './iam/policy-authorizer.ts';
import { Roles } from './iam/roles.ts';
import { Sessions } from './iam/sessions.ts';
import { BlobStore } from './registry/blob-store.ts';
import { DistributionApi } from './registry/distribution-api.ts';
import { ImagePuller } from './registry/image-puller.ts';
import { Registry } from './registry/registry.ts';
import { bootstrap } from './services/cloudformation/bootstrap.ts';
import { CloudFormation } from './services/cloudformation/cloudformation.ts';
import { type Outputs, provision } from './services/cloudformation/provision.ts';
import { CloudWatch } from './services/cloudwatch/cloudwatch.ts';
import type { MetricSink } from './services/cloudwatch/metric-sink.ts';
import { DynamoDb } from './services/dynamodb/dynamodb.ts';
import { Ec2 } from './services/ec2/ec2.ts';
import { Ecr } from './services/ecr/ecr.ts';
import { Ecs } from './services/ecs/ecs.ts';
import { ElasticLoadBalancing } from './services/elbv2/elastic-load-balancing.ts';
import type { Delivery, Interception } from './services/events/delivery.ts';
import { EventBridge } from './services/events/event-bridge.ts';
import { Lambda } from './services/lambda/lambda.ts';
import { Logs } from './services/logs/logs.ts';
import { Buckets } from './services/s3/buckets.ts';
import { S3 } from './services/s3/s3.ts';
import { followLink } from './services/sns/links.ts';
import { Sns } from './services/sns/sns.ts';
import { Sqs } from './services/sqs/sqs.ts';
import { ssmOperations } from './services/ssm.ts';
import { States } from './services/states/service.ts';
import { stsOperations } from './services/sts.ts';
import { createProcessRunner } from './tasks/process-runner.ts';
import { CallLog } from './wire/call-log.ts';
import { Dispatcher } from './wire/dispatcher.ts';
import { type Listener, listen } from './wire/http.ts';
import { serviceEntry } from './wire/services.ts';

export interface EmbeddedAwsOptions {
  readonly clock: Clock;
  /** `FastForwardClock.shared`, so that functions see the same time. */
  readonly sharedOffset?: SharedArrayBuffer;
  /** 0: any free port. */
  readonly port: number;
  /** Told of faults of the embedded AWS itself, and of what AWS would only show in a metric. */
  readonly onFailure: (failure: unknown) => void;
  /** Told of every event on the bus, such as for a screen. */
  readonly onEvent?: (event: AwsEvent) => void;
  /** Asked for each delivery of an event: AWS may lose, double and delay them. */
  readonly deliveries?: (delivery: Delivery) => Interception;
}

export interface EmbeddedAws {
  /** `http://127.0.0.1:PORT`: every API, and the image registry. */
  readonly endpoint: string;
  /** How tasks are kept apart, in words. */
  readonly isolation: string;
  readonly calls: CallLog;
  readonly ecs: Ecs;
  readonly elbv2: ElasticLoadBalancing;
  readonly states: States;
  readonly lambda: Lambda;
  readonly dispatcher: Dispatcher;
  /** What `cdk deploy` does, in process; resolves with the outputs of each stack. */
  provision(assembly: string): Promise<ReadonlyMap<string, Outputs>>;
  close(): Promise<void>;
}

export async function createEmbeddedAws(options: EmbeddedAwsOptions): Promise<EmbeddedAws> {
  const { clock, onFailure } = options;
  const folder = await mkdtemp(join(tmpdir(), 'cutover-aws-'));
  let listener: Listener | undefined;
  const endpoint = (): string => listener?.endpoint ?? 'http://127.0.0.1';

  const calls = new CallLog();
  const roles = new Roles({ clock });
  const sessions = new Sessions();
  const authorizer = new PolicyAuthorizer({ roles, clock });

  // The bus delivers to services that are made after those that put events on it.
  const bus: { emit: Emit } = { emit: () => undefined };
  const emit: Emit = (event) => {
    options.onEvent?.(event);
    bus.emit(event);
  };

  // CloudWatch takes the metrics of services that are made before it.
  const metrics: MetricSink = { record: (observation) => cloudwatch.record(observation) };
  const buckets = new Buckets({ clock });
  const logs = new Logs({ clock });
  const sqs = new Sqs({ clock, metrics });
  const ec2 = new Ec2();
  const dynamodb = new DynamoDb({ clock });
  const registry = new Registry({ clock, emit, blobs: await BlobStore.create(join(folder, 'registry')) });
  const tasks = await createProcessRunner({ clock });
  const lambda = new Lambda({
    clock,
    ...(options.sharedOffset && { sharedOffset: options.sharedOffset }),
    endpoint,
    credentials: (roleArn, session) => sessions.issue(roleArn, session),
    code: async (bucket, key) => buckets.get(bucket, key).body,
    appendLog: (group, stream, line) => logs.append(group, stream, line),
    streams: dynamodb.streams,
    metrics,
    destination: async (arn, message, attributes) => deliver(arn, message, attributes),
    onFailure,
    authorizer,
  });
  const sns = new Sns({ clock, queues: sqs, invoker: lambda, onFailure });
  const deliver = (arn: string, message: string, attributes: Readonly<Record<string, string>> = {}): void => {
    // Lambda sends in the name of the function's role.
    if (arn.includes(':sns:')) return sns.publish(arn, message, { byRole: true });
    const named = Object.entries(attributes).map(([name, value]) => [
      name,
      { DataType: 'String', StringValue: value },
    ]);
    return sqs.send(arn, message, Object.fromEntries(named));
  };
  const cloudwatch = new CloudWatch({
    clock,
    emit,
    publish: (topicArn, subject, message) => sns.publish(topicArn, message, { subject }),
  });
  const elbv2 = new ElasticLoadBalancing({
    clock,
    metrics: cloudwatch,
    onFailure,
    subnet: (subnetId) => placeOf(ec2, subnetId),
  });
  const ecs = new Ecs({
    clock,
    emit,
    targets: elbv2,
    images: new ImagePuller({ registry }),
    tasks,
    network: ec2,
    onLog: (group, stream, line) => logs.append(group, stream, line),
  });
  const states = new States({ clock, invoker: lambda, authorizer, emit, metrics });
  const events = new EventBridge({
    clock,
    executions: states,
    invoker: lambda,
    queues: sqs,
    topics: sns,
    authorizer,
    onFailure,
    ...(options.deliveries && { deliveries: options.deliveries }),
  });
  bus.emit = events.emit;

  const s3 = new S3({ buckets });
  const createBucket = async (bucket: string): Promise<void> => buckets.create(bucket);
  const call = (service: string, operation: string, input: unknown): Promise<unknown> =>
    dispatcher.call(service, operation, input as object, { kind: 'root' });
  const cloudformation = new CloudFormation({
    clock,
    call,
    buckets: {
      create: createBucket,
      delete: async (bucket) => buckets.delete(bucket),
      text: async (bucket, key) => Buffer.from(buckets.get(bucket, key).body).toString('utf8'),
    },
    endpoint,
    onFailure,
  });
  const dispatcher = new Dispatcher({
    entries: [
      serviceEntry('cloudformation', cloudformation.operations),
      serviceEntry('cloudwatch', cloudwatch.operations),
      serviceEntry('dynamodb', dynamodb.operations),
      serviceEntry('ec2', ec2.operations),
      serviceEntry('ecr', new Ecr({ registry, clock }).operations),
      serviceEntry('ecs', ecs.operations),
      serviceEntry('elbv2', elbv2.operations),
      serviceEntry('events', events.operations),
      serviceEntry('iam', iamOperations({ roles })),
      serviceEntry('lambda', lambda.operations),
      serviceEntry('logs', logs.operations),
      serviceEntry('sns', sns.operations),
      serviceEntry('sqs', sqs.operations),
      serviceEntry('ssm', ssmOperations({ clock })),
      serviceEntry('states', states.operations),
      serviceEntry('sts', stsOperations({ roles, sessions, clock })),
      s3,
    ],
    authorizer,
    principalOf: (accessKeyId) => sessions.principalOf(accessKeyId),
    calls,
    clock,
    endpoint,
    onFailure,
  });

  const distribution = new DistributionApi({ registry });
  const close = async (): Promise<void> => {
    events.close();
    cloudwatch.close();
    sqs.close();
    states.close();
    ecs.close();
    await lambda.close();
    await dynamodb.close();
    await elbv2.close();
    await tasks.close();
    await listener?.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    listener = await listen(dispatcher, {
      port: options.port,
      fallback: (request, response) =>
        serveOthers(request, response, { cloudformation, distribution, sns, clock, onFailure }),
      onFailure,
    });
  } catch (failure) {
    await close();
    throw failure;
  }
  await bootstrap({ call, createBucket, settled: (stack) => cloudformation.settled(stack) });
  return {
    endpoint: listener.endpoint,
    isolation: tasks.isolation,
    calls,
    ecs,
    elbv2,
    states,
    lambda,
    dispatcher,
    provision: async (assembly) => {
      const outputs = await provision({
        assembly,
        cloudformation,
        createBucket,
        putObject: async (bucket, key, bytes) => void buckets.put(bucket, key, bytes),
      });
      // Threads take real time to start; the cold start that a function sees is modelled on the clock.
      await lambda.warmAll();
      return outputs;
    },
    close,
  };
}

/** What shares the port with the APIs: images, the answers of custom resources, and the links in messages of SNS. */
function serveOthers(
  request: IncomingMessage,
  response: ServerResponse,
  others: {
    readonly cloudformation: CloudFormation;
    readonly distribution: DistributionApi;
    readonly sns: Sns;
    readonly clock: Clock;
    readonly onFailure: (failure: unknown) => void;
  },
): void {
  if (others.cloudformation.handleResponse(request, response) || followLink(others.sns, request, response))
    return;
  if (others.distribution.handles(request.url ?? '')) {
    others.clock.busy(() => others.distribution.handle(request, response)).catch(others.onFailure);
    return;
  }
  response.writeHead(404, { 'content-type': 'text/plain' });
  response.end('This port speaks the APIs of AWS (sign the request) and that of an image registry (/v2/).\n');
}

function placeOf(ec2: Ec2, subnetId: string): { vpcId: string; availabilityZone: string } | undefined {
  const call: Call = {
    principal: { kind: 'service', service: 'elasticloadbalancing' },
    requestId: 'internal',
    endpoint: '',
  };
  const { Subnets } = ec2.operations['DescribeSubnets']!(
    { Filters: [{ Name: 'subnet-id', Values: [subnetId] }] } as never,
    call,
  ) as DescribeSubnetsCommandOutput;
  const subnet = Subnets?.[0];
  if (subnet?.VpcId === undefined || subnet.AvailabilityZone === undefined) return undefined;
  return { vpcId: subnet.VpcId, availabilityZone: subnet.AvailabilityZone };
}
