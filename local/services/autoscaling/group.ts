/** A group and its instances, as the parts of Auto Scaling share them. */
import type {
  LaunchTemplateSpecification,
  LifecycleState,
  TagDescription,
} from '@aws-sdk/client-auto-scaling';
import { AwsError } from '../../call.ts';
import type { Timer } from '../../clock.ts';
import type { TaskAddress } from '../ec2/addresses.ts';
import type { LaunchedInstance } from '../ec2/instances.ts';
import type { ActivityRecord } from './activities.ts';
import type { RunningInstance } from './instances.ts';
import type { ChosenTemplate } from './platform.ts';
import type { Policy } from './policy.ts';
import type { ScheduledAction } from './scheduled-action.ts';

export interface Settings {
  minimum: number;
  maximum: number;
  desired: number;
  template: LaunchTemplateSpecification;
  subnets: readonly string[];
  healthCheckType: string;
  gracePeriodSeconds: number;
  cooldownSeconds: number;
  instanceWarmupSeconds: number | undefined;
}

export type Transition = 'autoscaling:EC2_INSTANCE_LAUNCHING' | 'autoscaling:EC2_INSTANCE_TERMINATING';
export type Result = 'CONTINUE' | 'ABANDON';

export interface Hook {
  readonly name: string;
  readonly transition: Transition;
  readonly metadata: string | undefined;
  readonly heartbeatSeconds: number;
  readonly defaultResult: Result;
}

/** One instance of a group. */
export interface Member {
  readonly id: string;
  readonly subnetId: string;
  readonly place: TaskAddress;
  readonly template: ChosenTemplate;
  readonly launch: ActivityRecord;
  state: LifecycleState;
  healthy: boolean;
  /** It ended by itself. */
  exited: boolean;
  inServiceAt: number | undefined;
  /** Its termination. */
  departure: ActivityRecord | undefined;
  /** As EC2 shows it. */
  readonly shown: LaunchedInstance;
  /** Nothing before EC2 has answered that it launches it. */
  running: RunningInstance | undefined;
}

/** A target group in which the instances are registered. */
export interface Source {
  readonly arn: string;
  state: 'Adding' | 'Added' | 'InService' | 'Removing';
  /** Instances that this group registered in it. */
  readonly registered: Set<string>;
}

export interface Group {
  readonly name: string;
  readonly arn: string;
  readonly createdAt: Date;
  tags: readonly TagDescription[];
  readonly settings: Settings;
  readonly members: Map<string, Member>;
  readonly hooks: Map<string, Hook>;
  readonly actions: Map<string, ScheduledAction>;
  readonly policies: Map<string, Policy>;
  /** Of simple scaling. */
  cooldownUntil: number;
  readonly sources: Map<string, Source>;
  /** Suspended processes and why. */
  readonly suspended: Map<string, string>;
  /** The latest request that changed the desired capacity, in words, until it is fulfilled. */
  request: string | undefined;
  /** Unhealthy instances that were terminated and not replaced yet. */
  toReplace: number;
  /** Subnets in which the latest launch failed. */
  readonly avoided: Set<string>;
  /** How often in a row launches failed in all subnets. */
  failures: number;
  retryAt: number;
  deleting: boolean;
  look: Timer | undefined;
}

export function isLeaving(member: Member): boolean {
  return member.state.startsWith('Terminat');
}

/** The instances that count: those that are not on their way out. */
export function staying(group: Group): Member[] {
  return [...group.members.values()].filter((member) => !isLeaving(member));
}

export function runs(group: Group, process: string): boolean {
  return !group.suspended.has(process);
}

/** The query protocol's `ValidationError`. */
export function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}

/** `2026-01-01T00:00:00Z` */
export function secondOf(at: number): string {
  return new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
}
