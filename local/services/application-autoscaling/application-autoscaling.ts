/**
 * Application Auto Scaling, embedded, for ECS services: scalable targets, target tracking by the alarms that it makes in
 * CloudWatch, scheduled actions. Step scaling policies are kept and described; what would move them, alarms of their owner
 * with the policy as action, CloudWatch here does not have. Left out, and refused where asked for: other namespaces,
 * predictive scaling, customized metrics, tags, scaling activities. An action `at()` a time stays once it ran.
 */
import type { Operations } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { Authorizer } from '../../iam/authorizer.ts';
import { Monitoring } from '../cloudwatch/monitoring.ts';
import { Tracker } from '../target-tracking/tracker.ts';
import { TrackingAlarms } from '../target-tracking/tracking-alarms.ts';
import { Permissions } from './permissions.ts';
import { ScalableTargets } from './scalable-targets.ts';
import type { ScaledServices } from './scaled-services.ts';
import { ScalingPolicies } from './scaling-policies.ts';
import { ScheduledActions } from './scheduled-actions.ts';
import { trackedTarget } from './tracked-target.ts';

export interface ApplicationAutoScalingOptions {
  readonly clock: Clock;
  readonly services: ScaledServices;
  /** CloudWatch's operations: alarms are made in it, metrics are read from it. */
  readonly cloudwatch: Operations;
  /** Tells whether callers have the rights on ECS and CloudWatch that they need beside those on this service. */
  readonly authorizer: Authorizer;
}

export class ApplicationAutoScaling {
  readonly operations: Operations;
  readonly #tracker: Tracker;
  readonly #actions: ScheduledActions;

  constructor({ clock, services, cloudwatch, authorizer }: ApplicationAutoScalingOptions) {
    const permissions = new Permissions(authorizer);
    const alarms = new TrackingAlarms(
      new Monitoring({ clock, cloudwatch, service: 'application-autoscaling' }),
    );
    const targets = new ScalableTargets({
      clock,
      services,
      permissions,
      onGone: (target) => {
        for (const policy of target.policies.values()) policies.forget(policy);
        for (const { timer } of target.actions.values()) timer?.cancel();
      },
    });
    const tracker = new Tracker({
      clock,
      alarms,
      all: () => targets.all().map((target) => trackedTarget(target, { clock, services })),
    });
    const policies = new ScalingPolicies({
      clock,
      targets,
      alarms,
      permissions,
      onPut: () => tracker.wake(),
    });
    const actions = new ScheduledActions({ clock, targets, permissions });
    this.#tracker = tracker;
    this.#actions = actions;
    this.operations = {
      RegisterScalableTarget: targets.register.bind(targets),
      DeregisterScalableTarget: targets.deregister.bind(targets),
      DescribeScalableTargets: targets.describe.bind(targets),
      PutScalingPolicy: policies.put.bind(policies),
      DeleteScalingPolicy: policies.delete.bind(policies),
      DescribeScalingPolicies: policies.describe.bind(policies),
      PutScheduledAction: actions.put.bind(actions),
      DeleteScheduledAction: actions.delete.bind(actions),
      DescribeScheduledActions: actions.describe.bind(actions),
    };
  }

  /** Nothing more scales. */
  close(): void {
    this.#tracker.close();
    this.#actions.close();
  }
}
