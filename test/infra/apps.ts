/** Apps of the CDK, synthesized in process with the context that the CLI reads from cdk.json. */
import { readFileSync } from 'node:fs';
import { App, Duration, Stack, type StackProps } from 'aws-cdk-lib';
import { type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Cluster, ContainerImage, FargateTaskDefinition, type ICluster } from 'aws-cdk-lib/aws-ecs';
import {
  type ApplicationListener,
  ApplicationLoadBalancer,
  ListenerAction,
  ListenerCondition,
} from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import type { Cutover } from '../../infra/cutover.ts';
import { EcsService, type EcsServiceProps } from '../../infra/ecs-service.ts';
import { WebStack } from '../../infra/web-stack.ts';
import { type CfnTemplate, readTemplate } from './templates.ts';

const { context } = JSON.parse(readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8')) as {
  context: Readonly<Record<string, unknown>> & { readonly cutover: Readonly<Record<string, unknown>> };
};

export interface AppOptions {
  /** Where the assembly goes. */
  readonly outdir: string;
  /** Without, functions have no code: nothing is bundled. */
  readonly bundled?: boolean;
  /** Changes of what cdk.json says of the example. */
  readonly example?: Readonly<Record<string, unknown>>;
}

export function newApp({ outdir, bundled = false, example = {} }: AppOptions): App {
  return new App({
    outdir,
    analyticsReporting: false,
    context: {
      ...context,
      cutover: { ...context.cutover, ...example },
      'aws:cdk:bundling-stacks': bundled ? ['**'] : [],
    },
  });
}

/** The app as it stands before it is synthesized. */
export function exampleApp(options: AppOptions): App {
  const app = newApp(options);
  new WebStack(app, 'Cutover', { description: 'Immutable deployments of the service web, by Cutover' });
  return app;
}

export function synthesized(app: App, stack: string): CfnTemplate {
  return readTemplate(app.synth().getStackByName(stack).templateFullPath);
}

/** What a service runs on, without what costs time to make: no gateway, nothing private. */
export class Ground {
  readonly cluster: ICluster;
  readonly listener: ApplicationListener;
  readonly balancer: ApplicationLoadBalancer;
  readonly vpc: IVpc;

  constructor(scope: Construct) {
    this.vpc = new Vpc(scope, 'Network', {
      maxAzs: 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: false,
    }) as IVpc;
    this.balancer = new ApplicationLoadBalancer(scope, 'LoadBalancer', {
      vpc: this.vpc,
      internetFacing: true,
    });
    this.listener = this.listen('Http', 80);
    this.cluster = new Cluster(scope, 'Cluster', { vpc: this.vpc }) as ICluster;
  }

  listen(id: string, port: number): ApplicationListener {
    return this.balancer.addListener(id, {
      port,
      open: true,
      defaultAction: ListenerAction.fixedResponse(404),
    });
  }
}

export type ServiceChanges = Partial<Omit<EcsServiceProps, 'cutover' | 'cluster'>>;

/** A service with all at once as its strategy, and what the test says otherwise. */
export function addService(
  scope: Construct,
  id: string,
  cutover: Cutover,
  ground: Ground,
  changes: ServiceChanges = {},
): EcsService {
  const serviceName = changes.serviceName ?? id.toLowerCase();
  const repository = changes.repository ?? new Repository(scope, `${id}Repository`);
  const taskDefinition = new FargateTaskDefinition(scope, `${id}Template`);
  taskDefinition.addContainer('app', {
    image: ContainerImage.fromEcrRepository(repository, 'template'),
    portMappings: [{ containerPort: 8080 }],
  });
  return new EcsService(scope, id, {
    cutover,
    cluster: ground.cluster,
    subnets: { subnets: ground.vpc.publicSubnets },
    listener: ground.listener,
    repository,
    taskDefinition,
    tags: ['v*'],
    port: 8080,
    priority: 100,
    conditions: [ListenerCondition.pathPatterns([`/${serviceName}/*`])],
    strategy: { kind: 'allAtOnce', bakeSeconds: 60 },
    healthDeadline: Duration.minutes(2),
    ...changes,
    serviceName,
  });
}

export function newStack(app: App, name: string, props: StackProps = {}): Stack {
  return new Stack(app, name, props);
}
