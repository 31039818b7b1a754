/** One scalable target: the bounds that hold a service's desired count, and what moves it between them. */
import type {
  ScalingPolicy,
  ScheduledAction,
  SuspendedState,
} from '@aws-sdk/client-application-auto-scaling';
import type { Timer } from '../../clock.ts';
import type { Tracking } from '../target-tracking/tracking.ts';
import type { Place } from './scaled-services.ts';

export interface Policy {
  readonly description: ScalingPolicy;
  /** Undefined for step scaling, which the alarms of its owner move. */
  readonly tracking: Tracking | undefined;
}

export interface Action {
  readonly description: ScheduledAction;
  timer: Timer | undefined;
}

/** The last scaling by a policy, while its cooldown lasts. */
interface Cooldown {
  readonly until: number;
  /** The count before it. */
  readonly from: number;
}

export interface Target {
  readonly place: Place;
  readonly resourceId: string;
  readonly arn: string;
  readonly createdAt: Date;
  minimum: number;
  maximum: number;
  suspended: Required<SuspendedState>;
  readonly policies: Map<string, Policy>;
  readonly actions: Map<string, Action>;
  out: Cooldown | undefined;
  in: Cooldown | undefined;
}

export function within({ minimum, maximum }: Pick<Target, 'minimum' | 'maximum'>, count: number): number {
  return Math.min(Math.max(count, minimum), maximum);
}
