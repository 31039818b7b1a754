/** What infrastructure code says of a service: the document in its SSM parameter, written by the construct. */
import * as z from 'zod';
import { allGates, type Strategy, stepsOf, strategySchema } from './deployment/strategy.ts';
import { unitSchema } from './fleet/unit.ts';
import { alarmPolicy } from './gates/alarms.ts';
import {
  type ComparisonSettings,
  comparisonSettings,
  leastBakeInWords,
  leastBakeSeconds,
} from './gates/comparison.ts';
import { freezeWindow } from './gates/freeze.ts';
import { imageGateSchema } from './gates/image-gate.ts';
import { metricGates } from './gates/metric-gate.ts';
import { hooksSchema } from './hooks/hook-settings.ts';
import { amiOwner } from './images/ami-event.ts';
import { serviceName, slotName } from './names.ts';

const seconds = z.int().min(0);

/** Where a generation runs, and where it logs: each one remembers that, for the settings may say otherwise by the time it ends. */
const place = {
  kind: z.string(),
  unit: unitSchema.optional(),
  cluster: z.string().optional(),
  logGroup: z.string().nullable().optional(),
};
export const placeMembers: readonly string[] = Object.keys(place);

/** What the fleet's adapter needs; core and steps hand it on unread. What is not about the place says how the next one is launched. */
export const fleetSettings = z.looseObject(place);
export type FleetSettings = z.infer<typeof fleetSettings>;

type Mistake = readonly [path: (string | number)[], message: string];

/** A step that is compared, but too short for one minute that is counted, would never be left: in words, with the sum. */
function uncomparable({
  comparison,
  strategy,
}: {
  readonly comparison: ComparisonSettings | null;
  readonly strategy: Strategy;
}): readonly Mistake[] {
  if (comparison === null) return [];
  const compared = stepsOf(strategy).filter(
    ({ weightPercent, gates = allGates }) => weightPercent < 100 && gates.includes('comparison'),
  );
  if (compared.length === 0) {
    const none = 'no step below 100 % compares, and at 100 % the old generation has no requests';
    return [
      [
        ['comparison'],
        `${none}: add such a step, with comparison among its gates, or leave the comparison out`,
      ],
    ];
  }
  return compared
    .filter(({ bakeSeconds }) => bakeSeconds < leastBakeSeconds)
    .map(({ weightPercent, bakeSeconds }) => [
      ['strategy'],
      `the bake at ${weightPercent} % is ${bakeSeconds} s, and a comparison takes ${leastBakeInWords} at least: bake longer, or name that step's gates without comparison`,
    ]);
}

/** So many looks must fit before the deadline, or no generation is ever healthy. */
function unlookable({
  healthyLooks,
  healthIntervalSeconds,
  healthDeadlineSeconds,
}: {
  readonly healthyLooks: number;
  readonly healthIntervalSeconds: number;
  readonly healthDeadlineSeconds: number;
}): readonly Mistake[] {
  const seconds = (healthyLooks - 1) * healthIntervalSeconds;
  if (seconds < healthDeadlineSeconds) return [];
  return [
    [
      ['healthyLooks'],
      `${healthyLooks} looks, ${healthIntervalSeconds} s apart, take ${seconds} s, and a generation must be healthy within ${healthDeadlineSeconds} s: look less often, or give it longer`,
    ],
  ];
}

export const serviceSettings = z
  .strictObject({
    schema: z.literal(1),
    service: serviceName,
    repository: z
      .string()
      .min(2)
      .max(256)
      .refine(
        (name) => !name.includes(':') || amiOwner(name) !== undefined,
        'must be the name of an ECR repository, or ami:self or ami: and the 12 digits of the account whose AMIs are deployed',
      )
      .describe('name of the ECR repository; ami:self or ami:<account>: the AMIs of an account'),
    repositoryUri: z.string().min(1).describe('what the image is pulled as, without tag and digest'),
    tags: z.array(z.string().min(1).max(128)).min(1).describe('patterns of the tags that are deployed'),
    labels: z
      .record(z.string().min(1).max(128), z.string().max(256))
      .default({})
      .describe('tags of EC2 that an AMI must bear to be deployed'),
    findings: z
      .boolean()
      .default(true)
      .describe(
        'whether the sweep takes for a push what is there and no event announced; false where the event says more than that it is there',
      ),
    strategy: strategySchema,
    whenBusy: z
      .enum(['queueLatest', 'supersede', 'reject'])
      .describe(
        'what becomes of a push while a deployment runs: the newest waits, it takes its place, or it is refused',
      ),
    hooks: hooksSchema.default([]).describe('functions that are asked at the stages of a deployment'),
    imageGate: imageGateSchema
      .nullable()
      .default(null)
      .describe('what is asked of an image before anything is launched; null: nothing'),
    freeze: z
      .array(freezeWindow)
      .max(50)
      .default([])
      .describe('windows in which pushes wait; a rollback never does'),
    alarms: z.array(z.string().min(1)).max(100).describe('names of CloudWatch alarms that stop a deployment'),
    alarmPolicy: alarmPolicy.prefault({}),
    comparison: comparisonSettings
      .nullable()
      .default(null)
      .describe(
        'the new generation against the old one by what the load balancer counts; null: not compared',
      ),
    metrics: metricGates.default([]).describe('metrics of CloudWatch that may stop a deployment'),
    extendSeconds: seconds
      .max(86_400)
      .default(1_800)
      .describe('how much longer a step may bake for what the comparison and the metrics need'),
    /** The new generation starts at the live one's desired count, and never below this. */
    minimumCount: z.int().min(1).max(5_000),
    healthDeadlineSeconds: seconds.min(10).max(86_400).describe('from launch until all targets are healthy'),
    healthIntervalSeconds: seconds.min(5).max(300).describe("the target groups' health check interval"),
    healthyLooks: z
      .int()
      .min(1)
      .max(10)
      .default(1)
      .describe(
        'how often in a row, a health check interval apart, the new generation must be seen healthy; each weight asks again',
      ),
    handDeadlineSeconds: seconds
      .min(60)
      .max(604_800)
      .default(86_400)
      .describe("how long a deployment that is held waits for a person's word before it goes back"),
    retentionSeconds: seconds.max(31_536_000).describe('how long a replaced generation stays warm'),
    retentionFloor: z
      .int()
      .min(1)
      .max(5_000)
      .nullable()
      .default(null)
      .describe(
        'tasks or instances that a replaced generation is made as small as once no request reaches it; null: none',
      ),
    traffic: z.strictObject({
      rule: z.string().min(1).describe('ARN of the production listener rule'),
      testRule: z
        .string()
        .min(1)
        .nullable()
        .default(null)
        .describe(
          'ARN of the rule on a test listener, which leads to the newest generation; null: there is none',
        ),
      slots: z
        .array(z.strictObject({ name: slotName, targetGroup: z.string().min(1) }))
        .min(2, 'needs at least two slots: one is live while the other is filled')
        .max(5, 'an ALB forwards to at most five target groups')
        .superRefine((slots, context) => {
          // Two slots on one target group: a new generation would take traffic while it starts.
          for (const member of ['name', 'targetGroup'] as const) {
            slots.forEach((slot, index) => {
              if (slots.findIndex((other) => other[member] === slot[member]) === index) return;
              context.addIssue({
                code: 'custom',
                path: [index, member],
                message: `is another slot's already: ${slot[member]}`,
              });
            });
          }
        }),
    }),
    fleet: fleetSettings,
  })
  .superRefine((settings, context) => {
    for (const [path, message] of [...uncomparable(settings), ...unlookable(settings)])
      context.addIssue({ code: 'custom', path, message });
  });

export type ServiceSettings = z.infer<typeof serviceSettings>;
export type TrafficSettings = ServiceSettings['traffic'];

/**
 * Where the construct writes a service's settings and Plan reads them. SSM takes an advanced parameter, for a charge,
 * when they outgrow the 4 KB of a standard one:
 * https://docs.aws.amazon.com/systems-manager/latest/userguide/parameter-store-advanced-parameters.html
 */
export function settingsParameter(prefix: string, service: string): string {
  return `${prefix}/${service}`;
}
