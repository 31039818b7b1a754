/** A service on EC2 Auto Scaling that Cutover deploys: what its instances are made from, and what the deployer may do with that. */
import type { Duration, TimeZone } from 'aws-cdk-lib';
import type { Schedule } from 'aws-cdk-lib/aws-autoscaling';
import { type IVpc, type LaunchTemplate, Port, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { TargetType } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import type * as z from 'zod';
import { type AsgPolicy, asgSettings, type LifecycleHook } from '../functions/core/fleet/asg-settings.ts';
import { parse } from '../functions/core/parse.ts';
import { type Amis, amiSource } from './ami-source.ts';
import { countMistakes, DeployedService, portMistakes, type ServiceProps } from './deployed-service.ts';
import { localArn } from './deployer-function.ts';
import { type ImageProps, imageSource } from './image-source.ts';
import { ServiceRights } from './service-rights.ts';
import type { ServiceSource } from './service-source.ts';

/** Images are run by the instances' user data; an AMI is what the instances are launched from. */
export type AsgServiceProps = InstanceProps &
  ((ImageProps & { readonly amis?: never }) | { readonly amis: Amis; readonly repository?: never });

interface InstanceProps extends ServiceProps {
  /**
   * The template of every generation: what stands in it when the stack is deployed counts, by the number of its version. In its
   * user data `{cutover:image}` stands for the image by its digest, or for the AMI by its id; `{cutover:environment}`,
   * `{cutover:service}` and `{cutover:generation}` for these. It needs a security group, which is let be reached by the load
   * balancer; for images a role, which is let pull them. The AMI that is deployed takes the place of the one that it names.
   */
  readonly launchTemplate: LaunchTemplate;
  /** Such as dev, qa or prod: told to the instances, so that one image is built once and runs anywhere. */
  readonly environment?: string;
  readonly vpc: IVpc;
  /** Default: private subnets with a way out. */
  readonly subnets?: SubnetSelection;
  /** The port that instances listen on. A change of it replaces the slots. */
  readonly port: number;
  /** How the first generation scales by itself; each later one scales as the one before it does then. Default: not at all. */
  readonly scaling?: InstanceScaling;
  /** Lifecycle hooks of each group, for what listens to EventBridge. Default: none. */
  readonly lifecycleHooks?: readonly InstanceHook[];
  /** What is asked before an instance ends, once its requests have; docs/draining.md tells how. Default: nothing. */
  readonly drain?: Draining;
  /** Where instances log, each to the stream of its id: what one that failed logged last is told. Default: its console is. */
  readonly logGroup?: ILogGroup;
}

interface InstanceScaling {
  /** Instances that the service is never scaled below, and above. */
  readonly minimum: number;
  readonly maximum: number;
  /** Each keeps a metric at its target; each metric at most once. Default: none, so only the schedule scales. */
  readonly policies?: readonly {
    readonly name: string;
    readonly metric: AsgPolicy['metric'];
    /** Percent for `cpu`; bytes in a minute; for `requestsPerTarget` requests to each instance in a minute. */
    readonly target: number;
    /** Until what is new counts. Default: the group's, which is one minute. */
    readonly warmup?: Duration;
  }[];
  /** Each sets one bound or both, again and again. Default: none. */
  readonly schedule?: readonly {
    readonly name: string;
    readonly schedule: Schedule;
    /** Of the wall clock that the schedule goes by. Default: UTC. */
    readonly timeZone?: TimeZone;
    readonly minimum?: number;
    readonly maximum?: number;
  }[];
}

interface InstanceHook {
  readonly name: string;
  readonly at: LifecycleHook['at'];
  /** How long an instance waits for an answer. Default: 5 minutes. */
  readonly heartbeat?: Duration;
  /** What becomes of it then. Default: `abandon` at launch, `continue` at the end. */
  readonly onTimeout?: LifecycleHook['onTimeout'];
}

interface Draining {
  readonly function: IFunction;
  /** How long one instance may take. Default: 5 minutes. */
  readonly deadline?: Duration;
  /** How many instances drain at the same time. Default: 1. */
  readonly atOnce?: number;
}

export class AsgService extends DeployedService {
  constructor(scope: Construct, id: string, props: AsgServiceProps) {
    refuseSource(props);
    super(scope, id, props, {
      construct: 'AsgService',
      source: sourceOf(props),
      vpc: props.vpc,
      targetType: TargetType.INSTANCE,
      port: props.port,
      settings: { kind: 'asg' },
      mistakes: mistakesOf(props),
    });
    const { launchTemplate, vpc, subnets } = props;
    // From this side: both rules then stand in this stack, and a balancer of another stack knows nothing of it.
    launchTemplate.connections.allowFrom(
      props.listener,
      Port.tcp(props.port),
      `the load balancer reaches ${props.serviceName}`,
    );
    this.writeSettings(
      fleetOf(props, {
        launchTemplate: launchTemplate.launchTemplateId ?? '',
        launchTemplateVersion: launchTemplate.latestVersionNumber,
        subnets: vpc.selectSubnets(subnets).subnetIds,
      }),
    );
    this.#allow(props);
  }

  /** The role of the instances, by name, and what is the service's own: its log, its function. */
  #allow({
    serviceName: service,
    cutover,
    launchTemplate,
    repository,
    logGroup,
    drain,
  }: AsgServiceProps): void {
    const { launch, terminate, hook } = cutover.functions;
    const { role } = launchTemplate;
    if (role !== undefined) {
      repository?.grantPull(role);
      new ServiceRights(this, 'LaunchRights', {
        service,
        to: launch,
        actions: ['iam:PassRole'],
        resources: [role.roleArn],
      });
    }
    if (logGroup !== undefined) {
      logGroup.grantWrite(grantee(role));
      new ServiceRights(this, 'LogRights', {
        service,
        to: terminate,
        actions: ['logs:GetLogEvents'],
        resources: [localArn(this, 'logs', `log-group:${logGroup.logGroupName}:log-stream:i-*`)],
        because: 'A stream for each instance, whose id is made by EC2',
      });
    }
    if (drain !== undefined) {
      new ServiceRights(this, 'DrainRights', {
        service,
        to: hook,
        actions: ['lambda:InvokeFunction'],
        resources: [drain.function.functionArn],
      });
    }
  }
}

/** As types have it, for those whose app nobody checks: Node runs TypeScript without looking at its types. */
function refuseSource(props: object): void {
  const given = ['repository', 'tags', 'amis'].filter((name) => Reflect.get(props, name) !== undefined);
  if (['repository,tags', 'amis'].includes(given.join())) return;
  throw new Error(
    `AsgService ${String(Reflect.get(props, 'serviceName'))}: must have repository and tags, or amis, got ${given.join(' and ') || 'none of them'}`,
  );
}

function sourceOf(props: AsgServiceProps): ServiceSource {
  const { serviceName: service } = props;
  return props.amis === undefined ? imageSource(service, props) : amiSource(service, props.amis);
}

/** Checked before: a template without a role is a mistake where there is a log. */
function grantee(role: IRole | undefined): IRole {
  if (role === undefined) throw new Error('the launch template has no role');
  return role;
}

interface Place {
  readonly launchTemplate: string;
  readonly launchTemplateVersion: string;
  readonly subnets: readonly string[];
}

const fiveMinutes = 300;

function fleetOf(
  { environment, scaling, lifecycleHooks, drain, logGroup }: AsgServiceProps,
  { launchTemplate, launchTemplateVersion, subnets }: Place,
) {
  return {
    kind: 'asg' as const,
    unit: 'instance' as const,
    launchTemplate,
    launchTemplateVersion,
    subnets: [...subnets],
    ...(environment !== undefined && { environment }),
    ...(lifecycleHooks && {
      hooks: lifecycleHooks.map(({ name, at, heartbeat, onTimeout }) => ({
        name,
        at,
        heartbeatSeconds: heartbeat?.toSeconds() ?? fiveMinutes,
        onTimeout: onTimeout ?? (at === 'launching' ? ('abandon' as const) : ('continue' as const)),
      })),
    }),
    ...(drain && {
      drain: {
        function: drain.function.functionArn,
        deadlineSeconds: drain.deadline?.toSeconds() ?? fiveMinutes,
        atOnce: drain.atOnce ?? 1,
      },
    }),
    ...(logGroup && { logGroup: logGroup.logGroupName }),
    ...(scaling && { scaling: scalingOf(scaling) }),
  } satisfies z.input<typeof asgSettings>;
}

/** Without what is not said: the schema knows what is usual, and a parameter of SSM has little room. */
function scalingOf({ minimum, maximum, policies = [], schedule = [] }: InstanceScaling) {
  return {
    minimum,
    maximum,
    policies: policies.map(({ warmup, ...policy }) => ({
      ...policy,
      ...(warmup && { warmupSeconds: warmup.toSeconds() }),
    })),
    schedule: schedule.map(({ name, schedule: { expressionString }, timeZone, ...bounds }) => ({
      name,
      recurrence: expressionString,
      ...(timeZone && { timezone: timeZone.timezoneName }),
      ...bounds,
    })),
  };
}

/** ARNs and ids that are not known yet stand in for themselves. */
const somewhere: Place = { launchTemplate: 'lt-0', launchTemplateVersion: '1', subnets: ['subnet-0'] };

function mistakesOf(props: AsgServiceProps): readonly string[] {
  const { port, launchTemplate, amis, imageGate } = props;
  const parsed = parse(asgSettings, fleetOf(props, somewhere));
  return [
    ...(parsed.ok ? [] : parsed.mistakes.map(asProp)),
    ...portMistakes(port),
    ...countMistakes(props.minimumCount, props.scaling),
    ...roleMistakes(props),
    ...(amis !== undefined && imageGate
      ? [
          'imageGate: asks ECR for scan and signature of an image, which AMIs do not have: leave it out, and test an AMI before its event is sent (amis/event)',
        ]
      : []),
    ...(hasSecurityGroup(launchTemplate)
      ? []
      : [
          'launchTemplate: has no security group: give it one, in which the load balancer reaches its instances',
        ]),
  ];
}

/** The settings call them hooks; of the service these are functions that are asked. */
function asProp(mistake: string): string {
  const words = mistake.replace(/^hooks\//, 'lifecycleHooks/');
  return /^scaling\/schedule\/.*got cron\(/.test(words)
    ? `${words}: take Schedule from aws-cdk-lib/aws-autoscaling`
    : words;
}

function roleMistakes({ launchTemplate, amis, logGroup }: AsgServiceProps): readonly string[] {
  if (launchTemplate.role !== undefined) return [];
  if (amis === undefined)
    return ['launchTemplate: has no role: give it one, by which its instances pull the image'];
  return logGroup === undefined
    ? []
    : ['launchTemplate: has no role: give it one, by which its instances write to the logGroup'];
}

/** The construct tells of none only by throwing. */
function hasSecurityGroup(launchTemplate: LaunchTemplate): boolean {
  try {
    return launchTemplate.connections.securityGroups.length > 0;
  } catch {
    return false;
  }
}
