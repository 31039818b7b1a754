/** Default quotas (ELB guide, "Quotas for your Application Load Balancers") and the operation that tells them. */
import type {
  DescribeAccountLimitsCommandInput,
  DescribeAccountLimitsCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Operations, Output } from '../../call.ts';
import { page } from './paging.ts';

export const quotas = {
  loadBalancers: 50,
  listenersPerLoadBalancer: 50,
  rulesPerLoadBalancer: 100,
  targetGroups: 3000,
  targetGroupsPerLoadBalancer: 100,
  targetGroupsPerAction: 5,
  targetsPerLoadBalancer: 1000,
  targetsPerTargetGroup: 1000,
  conditionValuesPerRule: 5,
  conditionWildcardsPerRule: 5,
  tagsPerResource: 50,
} as const;

const limits = [
  ['target-groups', quotas.targetGroups],
  ['targets-per-application-load-balancer', quotas.targetsPerLoadBalancer],
  ['listeners-per-application-load-balancer', quotas.listenersPerLoadBalancer],
  ['rules-per-application-load-balancer', quotas.rulesPerLoadBalancer],
  ['condition-values-per-alb-rule', quotas.conditionValuesPerRule],
  ['condition-wildcards-per-alb-rule', quotas.conditionWildcardsPerRule],
  ['application-load-balancers', quotas.loadBalancers],
  ['target-groups-per-action-on-application-load-balancer', quotas.targetGroupsPerAction],
  ['target-groups-per-application-load-balancer', quotas.targetGroupsPerLoadBalancer],
  ['targets-per-target-group', quotas.targetsPerTargetGroup],
] as const;

export const quotaOperations = {
  DescribeAccountLimits(
    input: DescribeAccountLimitsCommandInput,
  ): Output<DescribeAccountLimitsCommandOutput> {
    const { items, next } = page(limits, input);
    return { Limits: items.map(([Name, max]) => ({ Name, Max: String(max) })), ...next };
  },
} satisfies Operations;
