/**
 * The one item that everything about a service is decided on. Each step is one conditional update of it, so checking the
 * fence and writing the intent is the same write. Changes are pure functions from item to item; a port applies them
 * with compare-and-set.
 */
import * as z from 'zod';
import { generationSchema } from './generation.ts';
import { digest, generationName, type ServiceName, serviceName } from './names.ts';
import { growing } from './parse.ts';
import { planSchema } from './plan.ts';
import { weightsSchema } from './weights.ts';

/** Milliseconds since the epoch. */
const instant = z.number();

const owner = growing({
  /** ARN of the execution; a redrive of it is a stranger. */
  execution: z.string(),
  redrives: z.int(),
  since: instant,
});

const intent = growing({
  kind: z.enum(['launch', 'shift', 'restore', 'promote', 'terminate', 'retire', 'resize']),
  before: weightsSchema.nullable(),
  after: weightsSchema.nullable(),
  fence: z.int(),
  at: instant,
});
export type Intent = z.infer<typeof intent>;

const wait = growing({
  token: z.string(),
  for: z.enum(['healthy', 'bake']),
  deadline: instant,
});
export type Wait = z.infer<typeof wait>;

/** Signals stay latched until the deployment ends, so one that comes between two waits is not lost. */
const latch = growing({
  running: z.array(z.string()).describe('tasks of the new generation that ran'),
  crashes: z.array(growing({ task: z.string(), reason: z.string() })),
  fleetFailed: z.string().nullable(),
  alarm: growing({ name: z.string(), reason: z.string(), at: instant }).nullable(),
  abort: growing({ by: z.string(), reason: z.string(), at: instant }).nullable(),
});
export type Latch = z.infer<typeof latch>;

const outcome = z.enum(['live', 'restored', 'removed']);
export type Outcome = z.infer<typeof outcome>;

const deployment = growing({
  plan: planSchema,
  /** What asked for it: a push's event; null for a rollback, which a person asked for. */
  push: growing({ eventId: z.string(), at: instant }).nullable(),
  /** Who asked for a rollback, and why. */
  order: growing({ by: z.string(), reason: z.string() }).nullable(),
  startedAt: instant,
  phase: z.enum(['launching', 'proving', 'shifting', 'baking', 'restoring', 'ended']),
  /** Tasks of the new generation that must be healthy: it was launched with them, or has grown to them; null until then. */
  desired: z.int().nullable(),
  /** Tasks that were wanted of the old generation when the new one was launched; null when there was none. */
  desiredBefore: z.int().nullable().default(null),
  /** Since when the new generation grows to what the old one has; null while it does not. */
  growingSince: instant.nullable().default(null),
  /** Index of the last step whose weights were written; -1 before the first. */
  step: z.int(),
  latch,
  /** Why it went back, from the moment that it does. */
  reason: z.string().nullable(),
  /** What only a person can mend before it can go back; null while nothing is. */
  needsHand: z.string().nullable(),
  outcome: outcome.nullable(),
  /** When the new generation lost the weight that it had; null while it has it, and when it never had any. */
  withdrawnAt: instant.nullable().default(null),
  /** The new generation is not ended before; null while nothing was taken back. */
  quietAt: instant.nullable(),
  endedAt: instant.nullable(),
});
export type Deployment = z.infer<typeof deployment>;

/** A push that waits for the running deployment to end. */
const pending = growing({
  eventId: z.string(),
  at: instant,
  repository: z.string(),
  tag: z.string(),
  digest,
});

/** A digest that a rollback left: nothing deploys it until a person releases it. */
const held = growing({
  digest,
  generation: generationName,
  by: z.string(),
  reason: z.string(),
  at: instant,
});
export type Held = z.infer<typeof held>;

/** What came of the last push or order that was looked at, also when nothing came of it. */
const intake = growing({
  id: z.string(),
  /** `forward` for a push, `back` for an order. */
  direction: z.enum(['forward', 'back']),
  at: instant,
  image: z.string().nullable(),
  admission: z.enum(['admitted', 'queued', 'nothing', 'superseded', 'rejected']),
  reason: z.string(),
  execution: z.string(),
});
export type Intake = z.infer<typeof intake>;

export const serviceItem = growing({
  schema: z.literal(1),
  service: serviceName,
  /** Rises with each change: the compare of compare-and-set. */
  version: z.int(),
  /** The highest fence ever issued. */
  fence: z.int(),
  owner: owner.nullable(),
  /** Until then a step of the last owner may still be writing to AWS. */
  mutatingUntil: instant,
  intent: intent.nullable(),
  /** The highest generation number ever issued. */
  lastGeneration: z.int(),
  live: generationSchema.nullable(),
  /** No longer live, but warm; the one that was live last comes last. */
  retained: z.array(
    growing({
      generation: generationSchema,
      until: instant,
      /** From when on it may be made as small as the service's floor; null: it stays as large as it is. */
      fullUntil: instant.nullable().default(null),
      /** It is due, but requests have reached it whenever one looked since then; null when none does. */
      reachedSince: instant.nullable().default(null),
      /** What people are told of that, once it has lasted; null before. */
      remark: z.string().nullable().default(null),
    }),
  ),
  /** Generations that were live and baked, the one that was live last comes last: what a rollback may go to. */
  proven: z.array(generationSchema),
  held: z.array(held),
  /** The newest push that waits; a newer one takes its place. */
  pending: pending.nullable(),
  /** The rule as we wrote it last; null before the first write. */
  weights: weightsSchema.nullable(),
  weightsAt: instant.nullable(),
  lastPush: growing({ eventId: z.string(), at: instant }).nullable(),
  /** Ids of the events admitted last: EventBridge may deliver one twice, hours apart. */
  admitted: z.array(z.string()),
  intake: intake.nullable(),
  deployment: deployment.nullable(),
  wait: wait.nullable(),
});
export type ServiceItem = z.infer<typeof serviceItem>;

export function newServiceItem(service: ServiceName): ServiceItem {
  return {
    schema: 1,
    service,
    version: 0,
    fence: 0,
    owner: null,
    mutatingUntil: 0,
    intent: null,
    lastGeneration: 0,
    live: null,
    retained: [],
    proven: [],
    held: [],
    pending: null,
    weights: null,
    weightsAt: null,
    lastPush: null,
    admitted: [],
    intake: null,
    deployment: null,
    wait: null,
  };
}
