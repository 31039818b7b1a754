/** The fleet's part of a service's settings, where the fleet is EC2 Auto Scaling: its construct writes it, its adapter reads it. */
import * as z from 'zod';
import { parseOrThrow } from '../parse.ts';
import type { ServiceSettings } from '../service-settings.ts';
import { timeZone } from '../time-zone.ts';
import { drainHook } from './drain-hook.ts';
import { differing } from './scaling.ts';
import { isUnixCron } from './unix-cron.ts';

/** Of group sizes: https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html sets none; as core has it. */
const count = z.int().min(1).max(5_000);

/** What a policy, a scheduled action or a hook is called (255 characters at most, none of `:/`). */
const name = z
  .string()
  .regex(
    /^[A-Za-z0-9][\w.-]{0,127}$/,
    'must be 1 to 128 letters, digits, ., _ and -, beginning with one of the first two',
  );

const policy = z
  .strictObject({
    name,
    metric: z.enum(['cpu', 'networkIn', 'networkOut', 'requestsPerTarget']),
    target: z.number().positive().describe('percent, bytes, or requests to each instance, in a minute'),
    warmupSeconds: z.int().min(0).max(86_400).optional().describe("default: the group's"),
  })
  .refine(({ metric, target }) => metric !== 'cpu' || target <= 100, {
    path: ['target'],
    message: 'is a percentage for this metric: at most 100',
  });
export type AsgPolicy = z.infer<typeof policy>;

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-scheduled-scaling.html */
const scheduled = z
  .strictObject({
    name,
    recurrence: z
      .string()
      .refine(
        isUnixCron,
        'must be a cron expression of five fields, minute hour day month weekday, such as 0 8 * * 1-5',
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
export type AsgSchedule = z.infer<typeof scheduled>;

/** How the first generation scales; each later one scales as the one before it does. */
const asgScaling = z
  .strictObject({
    minimum: count,
    maximum: count,
    /** https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-quotas.html */
    policies: z.array(policy).max(50).superRefine(differing('name', 'metric')).default([]),
    schedule: z.array(scheduled).max(125).superRefine(differing('name')).default([]),
  })
  .refine(({ minimum, maximum }) => minimum <= maximum, {
    path: ['maximum'],
    message: 'is less than minimum',
  })
  .superRefine(({ minimum, maximum, schedule }, context) => {
    // EC2 Auto Scaling does nothing at a time that would cross the bounds.
    schedule.forEach((each, index) => {
      // Where it says both it was compared already.
      if (each.minimum !== undefined && each.maximum !== undefined) return;
      if ((each.minimum ?? minimum) <= (each.maximum ?? maximum)) return;
      const [path, message] =
        each.minimum === undefined
          ? ['maximum', `is less than the minimum of ${minimum}`]
          : ['minimum', `is more than the maximum of ${maximum}`];
      context.addIssue({ code: 'custom', path: ['schedule', index, path], message });
    });
  });

/** https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html */
const lifecycleHook = z.strictObject({
  name: name.refine((text) => text !== drainHook, 'is the name of the hook that drains'),
  at: z.enum(['launching', 'terminating']),
  heartbeatSeconds: z.int().min(30).max(7_200),
  /** Of an instance that launches: `continue` puts it into service when nobody answered. */
  onTimeout: z.enum(['continue', 'abandon']),
});
export type LifecycleHook = z.infer<typeof lifecycleHook>;

/** What is asked before an instance ends, by a lifecycle hook of its group. */
const drain = z.strictObject({
  function: z.string().min(1).describe('ARN of the function that drains an instance'),
  deadlineSeconds: z.int().min(30).max(7_200).describe('how long one instance may take'),
  atOnce: count.describe('how many instances drain at the same time'),
});

export const asgSettings = z.strictObject({
  kind: z.literal('asg'),
  unit: z.literal('instance'),
  launchTemplate: z
    .string()
    .regex(/^lt-[0-9a-f]+$/)
    .describe('id of the template of every generation'),
  launchTemplateVersion: z
    .string()
    .regex(/^[1-9]\d*$/, 'must be a number: what $Latest and $Default mean may change'),
  environment: z.string().min(1).max(256).nullable().default(null).describe('such as dev, qa or prod'),
  subnets: z.array(z.string().min(1)).min(1),
  hooks: z.array(lifecycleHook).max(49).superRefine(differing('name')).default([]),
  drain: drain.nullable().default(null).describe('null: instances end when their requests have'),
  logGroup: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .describe('where instances log, each to the stream of its id; null: their console is read'),
  scaling: asgScaling.nullable().default(null).describe('null: nothing scales the service'),
});
export type AsgSettings = z.infer<typeof asgSettings>;

export function readAsg(settings: ServiceSettings): AsgSettings {
  return parseOrThrow(asgSettings, settings.fleet, `the fleet of ${settings.service}`);
}
