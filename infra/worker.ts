/** The example's second service: `worker`, on EC2 Auto Scaling. */
import { type Duration, Fn, Stack } from 'aws-cdk-lib';
import {
  AmazonLinuxCpuType,
  InstanceType,
  type IVpc,
  LaunchTemplate,
  MachineImage,
  SecurityGroup,
  UserData,
} from 'aws-cdk-lib/aws-ec2';
import { Repository, TagMutability } from 'aws-cdk-lib/aws-ecr';
import { type IApplicationListener, ListenerCondition } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { type ILogGroup, LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Strategy } from '../functions/core/deployment/strategy.ts';
import { AsgService } from './asg-service.ts';
import type { Cutover } from './cutover.ts';
import { acknowledgeWildcards } from './wildcard-finding.ts';

export interface WorkerProps {
  readonly cutover: Cutover;
  readonly vpc: IVpc;
  readonly listener: IApplicationListener;
  readonly serviceName: string;
  readonly tags: readonly string[];
  readonly environment: string;
  readonly port: number;
  readonly minimumCount: number;
  readonly healthInterval: Duration;
  readonly healthDeadline: Duration;
  readonly retention: Duration;
  readonly strategy: Strategy;
  readonly architecture: 'X86_64' | 'ARM64';
}

export class Worker extends Construct {
  readonly repository: Repository;

  constructor(scope: Construct, id: string, props: WorkerProps) {
    super(scope, id);
    this.repository = new Repository(this, 'Repository', {
      repositoryName: props.serviceName,
      imageScanOnPush: true,
      imageTagMutability: TagMutability.IMMUTABLE,
      emptyOnDelete: false,
    });
    const logGroup = new LogGroup(this, 'Log', { retention: RetentionDays.ONE_MONTH });
    new AsgService(this, 'Service', {
      cutover: props.cutover,
      serviceName: props.serviceName,
      repository: this.repository,
      tags: props.tags,
      launchTemplate: template(this, this.repository, logGroup, props),
      environment: props.environment,
      vpc: props.vpc,
      port: props.port,
      logGroup,
      listener: props.listener,
      priority: 50,
      conditions: [ListenerCondition.pathPatterns([`/${props.serviceName}`, `/${props.serviceName}/*`])],
      strategy: props.strategy,
      minimumCount: props.minimumCount,
      healthDeadline: props.healthDeadline,
      healthCheck: { path: '/health', interval: props.healthInterval },
      retention: props.retention,
    });
  }
}

/** Any image with Docker will do; what is run on it comes with each generation. */
function template(
  scope: Construct,
  repository: Repository,
  logGroup: ILogGroup,
  { vpc, port, architecture, serviceName }: WorkerProps,
): LaunchTemplate {
  const isArm = architecture === 'ARM64';
  const role = new Role(scope, 'Role', {
    assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
    description: `Instances of ${serviceName}`,
  });
  const made = new LaunchTemplate(scope, 'Template', {
    instanceType: new InstanceType(isArm ? 't4g.small' : 't3.small'),
    machineImage: MachineImage.latestAmazonLinux2023({
      cpuType: isArm ? AmazonLinuxCpuType.ARM_64 : AmazonLinuxCpuType.X86_64,
    }),
    role,
    securityGroup: new SecurityGroup(scope, 'Instances', {
      vpc,
      description: `Instances of ${serviceName}`,
    }),
    requireImdsv2: true,
    // A container is one hop further from the metadata service than its instance.
    httpPutResponseHopLimit: 2,
    userData: UserData.custom(script(scope, repository, logGroup, port)),
  });
  acknowledgeWildcards(role, ['*'], 'ecr:GetAuthorizationToken cannot be limited to resources');
  return made;
}

function script(scope: Construct, repository: Repository, logGroup: ILogGroup, port: number): string {
  const { region } = Stack.of(scope);
  const registry = Fn.select(0, Fn.split('/', repository.repositoryUri));
  return [
    '#!/bin/bash',
    'set -euo pipefail',
    'dnf install -y docker',
    'systemctl enable --now docker',
    'metadata=http://169.254.169.254/latest',
    `token=$(curl -sf -X PUT $metadata/api/token -H 'X-aws-ec2-metadata-token-ttl-seconds: 300')`,
    `instance=$(curl -sf -H "X-aws-ec2-metadata-token: $token" $metadata/meta-data/instance-id)`,
    `aws ecr get-login-password --region ${region} | docker login --username AWS --password-stdin ${registry}`,
    `docker run --detach --restart always --publish ${port}:${port} \\`,
    "  --env ENVIRONMENT='{cutover:environment}' --env GENERATION='{cutover:generation}' \\",
    `  --log-driver awslogs --log-opt awslogs-region=${region} \\`,
    `  --log-opt awslogs-group=${logGroup.logGroupName} --log-opt awslogs-stream=$instance \\`,
    "  '{cutover:image}'",
    '',
  ].join('\n');
}
