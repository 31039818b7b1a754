/** An app of the CDK with one of everything that a deployment service is made of; no code is bundled. */
import { App, CfnOutput, CustomResource, Duration, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { Alarm, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { AttributeType, type ITable, StreamViewType, Table } from 'aws-cdk-lib/aws-dynamodb';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Cluster, ContainerImage, FargateTaskDefinition } from 'aws-cdk-lib/aws-ecs';
import {
  ApplicationListenerRule,
  ApplicationLoadBalancer,
  ApplicationProtocol,
  ApplicationTargetGroup,
  ListenerAction,
  ListenerCondition,
  TargetType,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Rule } from 'aws-cdk-lib/aws-events';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import {
  Alias,
  Code,
  type IVersion,
  Function as LambdaFunction,
  Runtime,
  StartingPosition,
} from 'aws-cdk-lib/aws-lambda';
import { DynamoEventSource, SqsDlq } from 'aws-cdk-lib/aws-lambda-event-sources';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { SqsSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { DefinitionBody, StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';

/** The same context as cdk.json gives, where it matters: no helper functions of the CDK's own. */
export function newApp(outdir: string): App {
  return new App({
    outdir,
    analyticsReporting: false,
    context: { 'aws:cdk:bundling-stacks': [], '@aws-cdk/aws-ec2:restrictDefaultSecurityGroup': false },
  });
}

export class Example extends Stack {
  /** `code` is a folder with `index.mjs` and `deploy.asl.json`; a second edition changes what can be changed in place. */
  constructor(scope: Construct, id: string, code: string, edition: 1 | 2 = 1) {
    super(scope, id);
    const vpc = new Vpc(this, 'Vpc', { natGateways: 1, maxAzs: 2 }) as IVpc;
    const group = (name: string): ApplicationTargetGroup =>
      new ApplicationTargetGroup(this, name, {
        vpc,
        port: 8080,
        protocol: ApplicationProtocol.HTTP,
        targetType: TargetType.IP,
        deregistrationDelay: Duration.seconds(30 * edition),
        healthCheck: { path: `/health/${edition}` },
      });
    const [blue, green] = [group('Blue'), group('Green')];
    const balancer = new ApplicationLoadBalancer(this, 'Balancer', { vpc, internetFacing: true });
    const listener = balancer.addListener('Listener', { port: 80, defaultTargetGroups: [blue] });
    new ApplicationListenerRule(this, 'GreenOnly', {
      listener,
      priority: 4 + edition,
      conditions: [ListenerCondition.httpHeader('x-slot', ['green'])],
      action: ListenerAction.forward([green]),
    });
    const repository = new Repository(this, 'Repository', {
      emptyOnDelete: true,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    new Cluster(this, 'Cluster', { vpc, enableFargateCapacityProviders: true });
    new FargateTaskDefinition(this, 'Task', { family: 'web' }).addContainer('app', {
      image: ContainerImage.fromEcrRepository(repository),
      portMappings: [{ containerPort: 8080 }],
      environment: { MODE: `x${edition}` },
    });
    const table = new Table(this, 'Ledger', {
      partitionKey: { name: 'pk', type: AttributeType.STRING },
      stream: StreamViewType.NEW_AND_OLD_IMAGES,
      timeToLiveAttribute: 'expires',
      removalPolicy: RemovalPolicy.DESTROY,
    }) as ITable;
    const deadLetters = new Queue(this, 'DeadLetters', { visibilityTimeout: Duration.seconds(30 * edition) });
    new Topic(this, 'Topic').addSubscription(new SqsSubscription(deadLetters));
    const fn = new LambdaFunction(this, 'Fn', {
      runtime: Runtime.NODEJS_22_X,
      handler: 'index.handler',
      code: Code.fromAsset(code),
      environment: { TABLE: table.tableName, EDITION: String(edition) },
      logGroup: new LogGroup(this, 'Logs', {
        retention: edition === 1 ? RetentionDays.ONE_WEEK : RetentionDays.ONE_DAY,
        removalPolicy: RemovalPolicy.DESTROY,
      }),
    });
    table.grantReadWriteData(fn);
    deadLetters.grantSendMessages(fn);
    fn.addEventSource(
      new DynamoEventSource(table, {
        startingPosition: StartingPosition.LATEST,
        onFailure: new SqsDlq(deadLetters),
      }),
    );
    new Alias(this, 'Live', { aliasName: 'live', version: fn.currentVersion as IVersion });
    const machine = new StateMachine(this, 'Machine', {
      definitionBody: DefinitionBody.fromFile(`${code}/deploy.asl.json`),
      definitionSubstitutions: { fn: fn.currentVersion.functionArn },
    });
    new Rule(this, 'Push', {
      eventPattern: {
        source: ['aws.ecr'],
        detail: {
          'repository-name': [repository.repositoryName],
          'action-type': [edition === 1 ? 'PUSH' : 'DELETE'],
        },
      },
      targets: [new SfnStateMachine(machine, { deadLetterQueue: deadLetters })],
    });
    new Alarm(this, 'Alarm', {
      metric: new Metric({
        namespace: 'AWS/ApplicationELB',
        metricName: 'RequestCount',
        dimensionsMap: { LoadBalancer: balancer.loadBalancerFullName },
      }),
      threshold: edition,
      evaluationPeriods: 1,
    });
    const custom = new CustomResource(this, 'Production', {
      serviceToken: fn.functionArn,
      resourceType: 'Custom::ListenerRule',
      serviceTimeout: Duration.seconds(60),
      properties: { priority: 10 * edition },
    });
    new StringParameter(this, 'Shown', {
      parameterName: '/shown',
      stringValue: custom.getAttString('Priority'),
    });
    new CfnOutput(this, 'Url', { value: `http://${balancer.loadBalancerDnsName}` });
    new CfnOutput(this, 'MachineArn', { value: machine.stateMachineArn });
    Tags.of(this).add('team', edition === 1 ? 'red' : 'blue');
  }
}

/** The code of the custom resource: it gives back what it was given. */
export const functionCode = `
export const handler = async (event) => {
  if (event.ResponseURL === undefined) return;
  const body = JSON.stringify({
    Status: 'SUCCESS',
    StackId: event.StackId,
    RequestId: event.RequestId,
    LogicalResourceId: event.LogicalResourceId,
    PhysicalResourceId: 'production-rule',
    Data: { Priority: event.ResourceProperties.priority },
  });
  await fetch(event.ResponseURL, { method: 'PUT', body });
};
`;

export const definition = JSON.stringify({
  QueryLanguage: 'JSONata',
  StartAt: 'Go',
  States: {
    Go: {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Arguments: { FunctionName: '${fn}', Payload: {} },
      End: true,
    },
  },
});
