/** Between how many tasks a generation scales, and how a service says that it does. */
import * as z from 'zod';
import { timeZone } from '../time-zone.ts';

export interface Bounds {
  readonly minimum: number;
  readonly maximum: number;
}

/**
 * The same bounds, but nothing scales the generation below `floor`: the old one below what runs of it, while it is the way
 * back; the new one below what it will have to carry, while no request tells anybody how much that is.
 */
export function heldAt({ minimum, maximum }: Bounds, floor: number): Bounds {
  return { minimum: Math.max(minimum, floor), maximum: Math.max(maximum, floor) };
}

export function sameBounds(one: Bounds, other: Bounds): boolean {
  return one.minimum === other.minimum && one.maximum === other.maximum;
}

/** As ECS counts tasks of a service; a live generation without any has no way forward (`core/fleet/capacity.ts`). */
const count = z.int().min(1).max(5_000);
const cooldown = z.int().min(0).max(86_400).default(300);
const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.-]{0,127}$/,
    'must be 1 to 128 letters, digits, ., _ and -, beginning with one of the first two',
  );

const scalingPolicy = z
  .strictObject({
    name,
    metric: z.enum(['cpu', 'memory', 'requestsPerTarget']),
    target: z
      .number()
      .positive()
      .describe('percent of what the tasks have; requests to each task in a minute'),
    scaleInCooldownSeconds: cooldown,
    scaleOutCooldownSeconds: cooldown,
  })
  .refine(({ metric, target }) => metric === 'requestsPerTarget' || target <= 100, {
    path: ['target'],
    message: 'is a percentage for this metric: at most 100',
  });
export type ScalingPolicy = z.infer<typeof scalingPolicy>;

const scheduledScaling = z
  .strictObject({
    name,
    expression: z
      .string()
      .regex(
        /^(?:at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)|cron\(\S+(?: \S+){5}\)|rate\((?:1 (?:minute|hour|day)|(?!1 )[1-9]\d* (?:minute|hour|day)s)\))$/,
        'must be at(yyyy-mm-ddThh:mm:ss), cron() with six fields, or rate()',
      ),
    timezone: timeZone.optional(),
    minimum: count.optional(),
    maximum: count.optional(),
  })
  .refine(({ minimum, maximum }) => minimum !== undefined || maximum !== undefined, {
    message: 'changes nothing: needs minimum, maximum or both',
  })
  .refine(({ minimum, maximum }) => (minimum ?? 0) <= (maximum ?? Number.POSITIVE_INFINITY), {
    path: ['maximum'],
    message: 'is less than minimum',
  });
export type ScheduledScaling = z.infer<typeof scheduledScaling>;

/** How the first generation of a service scales; each later one scales as the one before it does. */
export const scalingSettings = z
  .strictObject({
    minimum: count,
    maximum: count,
    /** https://docs.aws.amazon.com/autoscaling/application/userguide/application-auto-scaling-quotas.html */
    policies: z
      .array(scalingPolicy)
      .max(50)
      // "You can have multiple target tracking scaling policies …, provided that each of them uses a different metric".
      .superRefine(differing('name', 'metric'))
      .default([]),
    schedule: z.array(scheduledScaling).max(200).superRefine(differing('name')).default([]),
  })
  .refine(({ minimum, maximum }) => minimum <= maximum, {
    path: ['maximum'],
    message: 'is less than minimum',
  });

/**
 * Whether a schedule lies behind, as only one for a single time can. Wall clocks of one zone compare as texts do; without
 * a zone the expression is in UTC.
 */
export function isOver(expression: string, timezone: string | undefined, now: number): boolean {
  const at = /^at\((.+)\)$/.exec(expression)?.[1];
  return (
    at !== undefined &&
    at <=
      wallClock(timezone ?? 'UTC')
        .format(now)
        .replace(' ', 'T')
  );
}

/** `2026-11-20 08:00:00` */
function wallClock(zone: string): Intl.DateTimeFormat {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
}

export function differing<Member extends string>(...members: readonly Member[]) {
  return (
    entries: readonly Readonly<Partial<Record<Member, unknown>>>[],
    context: z.core.$RefinementCtx,
  ): void => {
    for (const member of members) {
      entries.forEach((entry, index) => {
        if (entries.findIndex((other) => other[member] === entry[member]) === index) return;
        context.issues.push({
          code: 'custom',
          input: entry,
          path: [index, member],
          message: `is another one's already: ${String(entry[member])}`,
        });
      });
    }
  };
}
