/** Every service of the embedded AWS, wired as in one account and Region; what runs tasks, functions and traffic is given. */
import type { DescribeSubnetsCommandOutput } from '@aws-sdk/client-ec2';
import type { AwsEvent, Emit } from './aws-event.ts';
import type { Call } from './call.ts';
import type { Clock } from './clock.ts';
import { iamOperations } from './iam/operations.ts';
import { PolicyAuthorizer } from './iam/policy-authorizer.ts';
import { Roles } from './iam/roles.ts';
import { Sessions } from './iam/sessions.ts';
import type { BlobStore } from './registry/blob-store.ts';
import { Registry } from './registry/registry.ts';
import { ApplicationAutoScaling } from './services/application-autoscaling/application-autoscaling.ts';
import { ecsServices } from './services/application-autoscaling/scaled-services.ts';
import { AutoScaling, type AutoScalingOptions } from './services/autoscaling/autoscaling.ts';
import type { Instances } from './services/autoscaling/instances.ts';
import { launchPermissions } from './services/autoscaling/launch-permissions.ts';
import { ModelledInstances } from './services/autoscaling/modelled-instances.ts';
import { bootstrap } from './services/cloudformation/bootstrap.ts';
import { CloudFormation } from './services/cloudformation/cloudformation.ts';
import { type Outputs, provision } from './services/cloudformation/provision.ts';
import { CloudWatch } from './services/cloudwatch/cloudwatch.ts';
import type { MetricSink } from './services/cloudwatch/metric-sink.ts';
import { DynamoDb } from './services/dynamodb/dynamodb.ts';
import { Ec2 } from './services/ec2/ec2.ts';
import { Ecr } from './services/ecr/ecr.ts';
import { Ecs, type EcsOptions } from './services/ecs/ecs.ts';
import {
  ElasticLoadBalancing,
  type ElasticLoadBalancingOptions,
} from './services/elbv2/elastic-load-balancing.ts';
import type { Delivery, Interception } from './services/events/delivery.ts';
import { EventBridge } from './services/events/event-bridge.ts';
import type { Invoker } from './services/lambda/invoker.ts';
import { Lambda, type LambdaOptions } from './services/lambda/lambda.ts';
import { Logs } from './services/logs/logs.ts';
import { Buckets } from './services/s3/buckets.ts';
import { S3 } from './services/s3/s3.ts';
import { ServiceQuotas } from './services/service-quotas.ts';
import { Sns } from './services/sns/sns.ts';
import { Sqs } from './services/sqs/sqs.ts';
import { ssmOperations } from './services/ssm.ts';
import { States, type StatesOptions } from './services/states/service.ts';
import { stsOperations } from './services/sts.ts';
import { CallLog } from './wire/call-log.ts';
import { Dispatcher } from './wire/dispatcher.ts';
import { serviceEntry } from './wire/services.ts';
import { Throttle } from './wire/throttle.ts';

export interface RegionOptions {
  readonly clock: Clock;
  /** `http://127.0.0.1:PORT`: where clients and functions find it. */
  readonly endpoint: () => string;
  readonly blobs: BlobStore;
  /** Told of faults of the embedded AWS itself, and of what AWS would only show in a metric. */
  readonly onFailure: (failure: unknown) => void;
  /** Told of every event on the bus, such as for a screen. */
  readonly onEvent?: ((event: AwsEvent) => void) | undefined;
  /** Refuse what comes faster than AWS's token buckets allow an account in us-east-1. */
  readonly throttling?: boolean | undefined;
  /** Asked for each delivery of an event: AWS may lose, double and delay them. */
  readonly deliveries?: ((delivery: Delivery) => Interception) | undefined;
  /** vCPUs of Fargate that the account may have on demand; default: what a grown account has. */
  readonly fargateVcpus?: number | undefined;
  /** vCPUs of standard instances that the account may run on demand; default: what accounts were seen to have. */
  readonly ec2Vcpus?: number | undefined;
  /** What runs tasks, from which images. */
  readonly ecs: (registry: Registry) => Pick<EcsOptions, 'images' | 'tasks'> & Partial<EcsOptions>;
  /** What stands behind instances; default: nothing, so that they fail health checks of ELB. */
  readonly instances?: (registry: Registry, logs: Logs) => Instances;
  readonly autoscaling?: Partial<AutoScalingOptions>;
  readonly elbv2?: Partial<ElasticLoadBalancingOptions>;
  readonly lambda?: Partial<LambdaOptions>;
  readonly states?: Partial<StatesOptions>;
  /** Between Step Functions and Lambda. */
  readonly invoking?: (lambda: Invoker) => Invoker;
}

export interface Region {
  readonly calls: CallLog;
  readonly autoscaling: AutoScaling;
  readonly dispatcher: Dispatcher;
  readonly cloudformation: CloudFormation;
  readonly ecr: Ecr;
  readonly ecs: Ecs;
  readonly elbv2: ElasticLoadBalancing;
  readonly lambda: Lambda;
  readonly registry: Registry;
  readonly sns: Sns;
  readonly states: States;
  /** What an account has after `cdk bootstrap`; before the first `provision`. */
  bootstrap(): Promise<void>;
  /** What `cdk deploy` does, in process; resolves with the outputs of each stack. */
  provision(assembly: string): Promise<ReadonlyMap<string, Outputs>>;
  close(): Promise<void>;
}

export function createRegion(options: RegionOptions): Region {
  const { clock, endpoint, onFailure } = options;
  const calls = new CallLog();
  if (options.throttling === true) calls.hook(new Throttle({ clock }));
  const roles = new Roles({ clock });
  const sessions = new Sessions();
  const authorizer = new PolicyAuthorizer({
    roles,
    clock,
    tagsOf: (arn) => tagged(arn).tagsOf(arn),
  });

  const tagged = (arn: string) => {
    const service = arn.split(':')[2];
    if (service === 'ecr') return ecr;
    if (service === 'autoscaling') return autoscaling;
    if (service === 'ec2') return ec2;
    return service === 'elasticloadbalancing' ? elbv2 : ecs;
  };

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
  const quotas = new ServiceQuotas(options);
  const ec2 = new Ec2({
    clock,
    metrics,
    vcpuQuota: () => quotas.ec2Vcpus,
    emit,
    imageOf: (instanceId) => autoscaling.imageOf(instanceId),
  });
  const dynamodb = new DynamoDb({ clock });
  const registry = new Registry({ clock, emit, blobs: options.blobs });
  const lambda = new Lambda({
    clock,
    endpoint,
    credentials: (roleArn, session) => sessions.issue(roleArn, session),
    code: async (bucket, key) => buckets.get(bucket, key).body,
    appendLog: (group, stream, line) => logs.append(group, stream, line),
    streams: dynamodb.streams,
    metrics,
    destination: async (arn, message, attributes) => deliver(arn, message, attributes),
    onFailure,
    authorizer,
    ...options.lambda,
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
    ...options.elbv2,
  });
  const ecr = new Ecr({ registry, clock, emit });
  const ecs = new Ecs({
    clock,
    emit,
    metrics,
    vcpuQuota: () => quotas.fargateVcpus,
    targets: elbv2,
    network: ec2,
    onLog: (group, stream, line) => logs.append(group, stream, line),
    ...options.ecs(registry),
  });
  const applicationAutoscaling = new ApplicationAutoScaling({
    clock,
    services: ecsServices(ecs),
    cloudwatch: cloudwatch.operations,
    authorizer,
  });
  const autoscaling = new AutoScaling({
    clock,
    emit,
    compute: ec2,
    targets: elbv2,
    cloudwatch: cloudwatch.operations,
    instances: options.instances?.(registry, logs) ?? new ModelledInstances(),
    permissions: launchPermissions({ authorizer, roles }),
    ...options.autoscaling,
  });
  const states = new States({
    clock,
    invoker: options.invoking?.(lambda) ?? lambda,
    authorizer,
    emit,
    metrics,
    ...options.states,
  });
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
      serviceEntry('applicationAutoScaling', applicationAutoscaling.operations),
      {
        ...serviceEntry('autoscaling', autoscaling.operations),
        resources: (operation, input) =>
          operation.startsWith('Describe') ? undefined : autoscaling.resourcesOf(input),
      },
      serviceEntry('cloudformation', cloudformation.operations),
      serviceEntry('cloudwatch', cloudwatch.operations),
      serviceEntry('dynamodb', dynamodb.operations),
      { ...serviceEntry('ec2', ec2.operations), resources: (_, input) => ec2.resourcesOf(input) },
      serviceEntry('ecr', ecr.operations),
      serviceEntry('ecs', ecs.operations),
      serviceEntry('elbv2', elbv2.operations),
      serviceEntry('events', events.operations),
      serviceEntry('iam', iamOperations({ roles })),
      serviceEntry('lambda', lambda.operations),
      serviceEntry('logs', logs.operations),
      serviceEntry('servicequotas', quotas.operations),
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

  return {
    calls,
    autoscaling,
    dispatcher,
    cloudformation,
    ecr,
    ecs,
    elbv2,
    lambda,
    registry,
    sns,
    states,
    bootstrap: () => bootstrap({ call, createBucket, settled: (stack) => cloudformation.settled(stack) }),
    provision: (assembly) =>
      provision({
        assembly,
        cloudformation,
        createBucket,
        putObject: async (bucket, key, bytes) => void buckets.put(bucket, key, bytes),
      }),
    close: async () => {
      events.close();
      applicationAutoscaling.close();
      autoscaling.close();
      ec2.close();
      cloudwatch.close();
      sqs.close();
      states.close();
      ecs.close();
      await lambda.close();
      await dynamodb.close();
      await elbv2.close();
    },
  };
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
