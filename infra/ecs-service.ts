/** A service on ECS that Cutover deploys: what its tasks are made from, and what the deployer may do with that. */
import { type ISecurityGroup, Port, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { FargateTaskDefinition, ICluster } from 'aws-cdk-lib/aws-ecs';
import { TargetType } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { Construct } from 'constructs';
import * as z from 'zod';
import { scalingSettings } from '../functions/core/fleet/scaling.ts';
import { parse } from '../functions/core/parse.ts';
import { countMistakes, DeployedService, portMistakes, type ServiceProps } from './deployed-service.ts';
import { localArn } from './deployer-function.ts';
import { type ImageProps, imageSource } from './image-source.ts';
import { ServiceRights } from './service-rights.ts';
import { type ServiceScaling, scalingSettingsOf } from './service-scaling.ts';

export interface EcsServiceProps extends ServiceProps, ImageProps {
  /** The template of every generation; the image of `container` is replaced by the pushed digest. */
  readonly taskDefinition: FargateTaskDefinition;
  /** Default: the task definition's default container. */
  readonly container?: string;
  /** The port that the container listens on. */
  readonly port: number;
  readonly cluster: ICluster;
  /** Default: private subnets with a way out. */
  readonly subnets?: SubnetSelection;
  /** Default: one that lets the load balancer in. */
  readonly securityGroups?: readonly ISecurityGroup[];
  readonly assignPublicIp?: boolean;
  /**
   * How the first generation scales by itself; each later one scales as the one before it does then. Default: not at all.
   */
  readonly scaling?: ServiceScaling;
}

export class EcsService extends DeployedService {
  constructor(scope: Construct, id: string, props: EcsServiceProps) {
    super(scope, id, props, {
      construct: 'EcsService',
      source: imageSource(props.serviceName, props),
      vpc: props.cluster.vpc,
      targetType: TargetType.IP,
      // ECS registers each task with its own port.
      port: 80,
      settings: fleetOf(props, []),
      mistakes: mistakesOf(props),
    });
    const securityGroups = props.securityGroups ?? [this.#securityGroup(props)];
    this.writeSettings(fleetOf(props, securityGroups));
    this.#allow(props.serviceName, props);
  }

  #securityGroup(props: EcsServiceProps): ISecurityGroup {
    const group = new SecurityGroup(this, 'Tasks', {
      vpc: props.cluster.vpc,
      description: `Tasks of ${props.serviceName}`,
    });
    // From this side: both rules then stand in this stack, and a balancer of another stack knows nothing of it.
    group.connections.allowFrom(
      props.listener,
      // Any port: one that is changed must not cut off the generation that still listens on the old one.
      Port.allTcp(),
      `the load balancer reaches ${props.serviceName}`,
    );
    return group;
  }

  /**
   * The roles that tasks of this service have, by name
   * (https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html), and the log of its tasks.
   */
  #allow(service: string, props: EcsServiceProps): void {
    const { launch, terminate } = props.cutover.functions;
    new ServiceRights(this, 'LaunchRights', {
      service,
      to: launch,
      actions: ['iam:PassRole'],
      resources: rolesOf(props),
    });
    const log = logOf(this, props);
    if (log === undefined) return;
    new ServiceRights(this, 'LogRights', {
      service,
      to: terminate,
      actions: ['logs:GetLogEvents'],
      resources: [log],
      because: 'A stream for each task, whose id is made by ECS',
    });
  }
}

/** What the tasks log, for the last words of one that failed; undefined where no `awslogs` driver says where. */
function logOf(scope: Construct, { taskDefinition, container }: EcsServiceProps): string | undefined {
  const definition =
    container === undefined ? taskDefinition.defaultContainer : taskDefinition.findContainer(container);
  const { logDriver, options = {} } = definition?.logDriverConfig ?? {};
  const [group, prefix] = [options['awslogs-group'], options['awslogs-stream-prefix']];
  if (logDriver !== 'awslogs' || group === undefined || prefix === undefined) return undefined;
  const streams = `log-group:${group}:log-stream:${prefix}/*`;
  return localArn(scope, 'logs', streams);
}

/** Those that tasks of the service have: what the deployer may pass, and is told that it may. */
function rolesOf({ taskDefinition }: EcsServiceProps): string[] {
  return [taskDefinition.taskRole, taskDefinition.obtainExecutionRole()].map(({ roleArn }) => roleArn);
}

function fleetOf(props: EcsServiceProps, securityGroups: readonly ISecurityGroup[]) {
  const { taskDefinition, cluster } = props;
  return {
    kind: 'ecs',
    cluster: cluster.clusterArn,
    taskDefinition: taskDefinition.taskDefinitionArn,
    container: props.container ?? taskDefinition.defaultContainer?.containerName,
    port: props.port,
    subnets: cluster.vpc.selectSubnets(props.subnets).subnetIds,
    securityGroups: securityGroups.map((group) => group.securityGroupId),
    assignPublicIp: props.assignPublicIp ?? false,
    roles: rolesOf(props),
    ...(props.scaling && { scaling: scalingSettingsOf(props.scaling) }),
  };
}

function mistakesOf({
  port,
  container,
  taskDefinition,
  scaling,
  minimumCount,
}: EcsServiceProps): readonly string[] {
  const scaled = parse(z.object({ scaling: scalingSettings.optional() }), {
    scaling: scaling && scalingSettingsOf(scaling),
  });
  const isUnknown = container !== undefined && taskDefinition.findContainer(container) === undefined;
  return [
    ...(scaled.ok ? [] : scaled.mistakes),
    ...portMistakes(port),
    ...countMistakes(minimumCount, scaling),
    ...(isUnknown ? [`container: the task definition has none of that name, got ${container}`] : []),
  ];
}
