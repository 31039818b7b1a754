/** What groups and their instances stand on. */
import type { LaunchTemplateSpecification } from '@aws-sdk/client-auto-scaling';
import type { ResponseLaunchTemplateData } from '@aws-sdk/client-ec2';
import type { Emit } from '../../aws-event.ts';
import type { Clock } from '../../clock.ts';
import type { TaskAddress } from '../ec2/addresses.ts';
import type { InstanceLaunch } from '../ec2/instance-description.ts';
import type { LaunchedInstance } from '../ec2/instances.ts';
import type { Chance } from '../ecs/chance.ts';
import type { Targets } from '../elbv2/targets.ts';
import type { GroupDelays } from './delays.ts';
import type { Instances } from './instances.ts';
import type { LaunchPermissions } from './launch-permissions.ts';

/** What a group's template specification means now. */
export interface ChosenTemplate {
  readonly id: string;
  readonly name: string;
  readonly version: number;
  readonly content: ResponseLaunchTemplateData;
}

/** What Auto Scaling asks of EC2. */
export interface Compute {
  /** Throws EC2's own errors. */
  launchTemplate(named: LaunchTemplateSpecification): ChosenTemplate;
  /** An image that instances can be launched from. Throws EC2's own errors. */
  launchableImage(id: string): unknown;
  /** A free address in a subnet; `undefined` when the subnet is unknown or full. */
  address(subnetId: string): TaskAddress | undefined;
  release(eniId: string): void;
  /** What RunInstances does, until it answers. Throws EC2's own errors. */
  launch(launch: Omit<InstanceLaunch, 'vpcId'>): LaunchedInstance;
  zoneOf(subnetId: string): string | undefined;
}

/** What Auto Scaling asks of ELB. */
export interface TargetGroups extends Pick<Targets, 'register' | 'deregister' | 'health'> {
  /** The port of a target group of instances; `undefined` when there is none such. */
  instancePort(targetGroupArn: string): number | undefined;
}

export interface Platform {
  readonly clock: Clock;
  readonly emit: Emit;
  readonly chance: Chance;
  readonly delays: GroupDelays;
  readonly instances: Instances;
  readonly targets: TargetGroups;
  readonly compute: Compute;
  readonly permissions: LaunchPermissions;
}
