/** The example's stack. */
import { CfnOutput, Duration, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type IVpc, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import {
  Cluster,
  ContainerImage,
  ContainerInsights,
  CpuArchitecture,
  FargateTaskDefinition,
  type ICluster,
  LogDrivers,
} from 'aws-cdk-lib/aws-ecs';
import {
  type ApplicationListener,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  HttpCodeTarget,
  ListenerAction,
  ListenerCondition,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import * as z from 'zod';
import { strategySchema } from '../functions/core/deployment/strategy.ts';
import { Cutover } from './cutover.ts';
import { EcsService } from './ecs-service.ts';
import { acknowledgeWildcards } from './wildcard-finding.ts';
import { Worker } from './worker.ts';

const context = z.strictObject({
  serviceName: z.string(),
  tags: z.array(z.string()),
  port: z.int(),
  minimumCount: z.int(),
  healthCheckIntervalSeconds: z.int(),
  healthDeadlineSeconds: z.int(),
  retentionSeconds: z.int(),
  strategy: strategySchema,
  /** Failed requests in a minute that turn the alarm red. */
  alarmThreshold: z.int(),
  architecture: z.enum(['X86_64', 'ARM64']),
  /** The second service, on EC2 Auto Scaling; the rest is as of the first. */
  worker: z.strictObject({ serviceName: z.string(), environment: z.string() }),
});

export class WebStack extends Stack {
  constructor(scope: Construct, id: string, props: StackProps) {
    super(scope, id, props);
    const settings = readContext(this);
    // The class lacks `undefined` where its interface has it, which exactOptionalPropertyTypes tells apart.
    const vpc: IVpc = new Vpc(this, 'Network', {
      maxAzs: 2,
      natGateways: 1,
      restrictDefaultSecurityGroup: false,
      subnetConfiguration: [
        { name: 'public', subnetType: SubnetType.PUBLIC, cidrMask: 24 },
        { name: 'private', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 22 },
      ],
    }) as IVpc;
    const balancer = new ApplicationLoadBalancer(this, 'LoadBalancer', { vpc, internetFacing: true });
    const listener = balancer.addListener('Http', {
      port: 80,
      protocol: ApplicationProtocol.HTTP,
      defaultAction: ListenerAction.fixedResponse(404, {
        contentType: 'text/plain',
        messageBody: 'no service here',
      }),
    });
    const repository = new Repository(this, 'Repository', {
      repositoryName: settings.serviceName,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      emptyOnDelete: false,
    });
    const alarm = new Alarm(this, 'Errors', {
      alarmName: `${settings.serviceName}-5xx`,
      alarmDescription: `Targets of ${settings.serviceName} answer with 5xx`,
      metric: balancer.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, {
        period: Duration.minutes(1),
        statistic: 'Sum',
      }),
      threshold: settings.alarmThreshold,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    const cutover = new Cutover(this, 'Deployer');
    const cluster = new Cluster(this, 'Cluster', {
      vpc,
      containerInsightsV2: ContainerInsights.ENABLED,
    }) as ICluster;
    new EcsService(this, 'Web', {
      cutover,
      serviceName: settings.serviceName,
      repository,
      tags: settings.tags,
      taskDefinition: template(this, repository, settings),
      port: settings.port,
      cluster,
      listener,
      priority: 100,
      conditions: [ListenerCondition.pathPatterns(['/*'])],
      strategy: settings.strategy,
      alarms: [alarm],
      minimumCount: settings.minimumCount,
      healthDeadline: Duration.seconds(settings.healthDeadlineSeconds),
      healthCheck: { path: '/health', interval: Duration.seconds(settings.healthCheckIntervalSeconds) },
      retention: Duration.seconds(settings.retentionSeconds),
    });
    const { repository: workers } = new Worker(this, 'Worker', {
      cutover,
      vpc,
      listener,
      ...settings.worker,
      tags: settings.tags,
      port: settings.port,
      minimumCount: settings.minimumCount,
      healthInterval: Duration.seconds(settings.healthCheckIntervalSeconds),
      healthDeadline: Duration.seconds(settings.healthDeadlineSeconds),
      retention: Duration.seconds(settings.retentionSeconds),
      strategy: settings.strategy,
      architecture: settings.architecture,
    });
    acknowledge(this, vpc, balancer);
    this.#outputs(listener, cutover, { repository, workers });
  }

  #outputs(
    listener: ApplicationListener,
    cutover: Cutover,
    { repository, workers }: { readonly repository: Repository; readonly workers: Repository },
  ): void {
    new CfnOutput(this, 'ListenerArn', {
      description: 'The listener whose rules carry the weights of the generations',
      value: listener.listenerArn,
    });
    new CfnOutput(this, 'DeployMachineArn', {
      description: 'The state machine that runs deployments; pushes start it',
      value: cutover.deploy.stateMachineArn,
    });
    new CfnOutput(this, 'RollbackMachineArn', {
      description: 'The state machine to start with {"service":"…"} to go back',
      value: cutover.rollback.stateMachineArn,
    });
    new CfnOutput(this, 'SignalFunction', {
      description:
        'The function to say a word to: abort, resume or approve a deployment, release a digest that is held, answer for a push',
      value: cutover.functions.signal.function.functionName,
    });
    new CfnOutput(this, 'MessagesTopicArn', {
      description: 'The topic that tells what becomes of deployments',
      value: cutover.topic.topicArn,
    });
    new CfnOutput(this, 'AlarmsTopicArn', {
      description: 'The topic of the alarms on Cutover itself',
      value: cutover.alarms.topicArn,
    });
    new CfnOutput(this, 'LedgerTable', {
      description: 'The table with the state of each service and the record of each deployment',
      value: cutover.table.tableName,
    });
    new CfnOutput(this, 'RepositoryUri', {
      description: 'The repository to push images to',
      value: repository.repositoryUri,
    });
    new CfnOutput(this, 'WorkerRepositoryUri', {
      description: 'The repository to push images of the worker to',
      value: workers.repositoryUri,
    });
  }
}

function template(
  stack: Stack,
  repository: Repository,
  settings: z.infer<typeof context>,
): FargateTaskDefinition {
  const definition = new FargateTaskDefinition(stack, 'Template', {
    cpu: 256,
    memoryLimitMiB: 512,
    runtimePlatform: {
      cpuArchitecture: settings.architecture === 'ARM64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
    },
  });
  definition.addContainer('app', {
    // Only the template's: every generation has the digest that was pushed.
    image: ContainerImage.fromEcrRepository(repository, 'template'),
    portMappings: [{ containerPort: settings.port }],
    logging: LogDrivers.awsLogs({
      streamPrefix: settings.serviceName,
      logGroup: new LogGroup(stack, 'ServiceLog', { retention: RetentionDays.ONE_MONTH }),
    }),
    stopTimeout: Duration.seconds(30),
  });
  return definition;
}

/** What the example leaves to whoever makes it theirs. */
function acknowledge(stack: Stack, vpc: IVpc, balancer: ApplicationLoadBalancer): void {
  Validations.of(vpc).acknowledge({
    id: 'AwsSolutions-VPC7',
    reason: 'Flow logs are the choice of whoever owns the network',
  });
  Validations.of(balancer).acknowledge(
    {
      id: 'AwsSolutions-ELB2',
      reason: 'Access logs need a bucket with a policy by region; the template is for any region',
    },
    { id: 'AwsSolutions-EC23', reason: 'The example is a public web service' },
  );
  acknowledgeWildcards(
    stack.node.findChild('Template'),
    ['*'],
    'ecr:GetAuthorizationToken cannot be limited to resources',
  );
}

function readContext(stack: Stack): z.infer<typeof context> {
  const parsed = context.safeParse(stack.node.tryGetContext('cutover'));
  if (parsed.success) return parsed.data;
  const mistakes = parsed.error.issues.map(
    ({ path, message }) => `context/cutover/${path.join('/')}: ${message}`,
  );
  throw new Error(`cdk.json does not describe the example: ${mistakes.join('; ')}`);
}
