/** What ECS and Auto Scaling may ask of the load balancer's target groups. */
import type { TargetHealth } from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Address } from '../../tasks/task.ts';

export interface Target {
  /** The task's own IP address or the instance's id, as DescribeTargetHealth shows it. */
  readonly id: string;
  readonly port: number;
}

export interface Targets {
  /** Registers a target; `address` is where the balancer really connects to. Repeats change nothing. */
  register(targetGroupArn: string, target: Target, address: Address): void;
  /** Starts draining; resolves when the deregistration delay is over and the target is gone. */
  deregister(targetGroupArn: string, target: Target): Promise<void>;
  health(targetGroupArn: string, target: Target): TargetHealth | undefined;
  /** Whether any listener or rule refers to the group: CreateService refuses a group that none does. */
  isAssociated(targetGroupArn: string): boolean;
  exists(targetGroupArn: string): boolean;
}
