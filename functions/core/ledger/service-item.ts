/**
 * The one item that everything about a service is decided on. Each step is one conditional update of it, so checking the
 * fence and writing the intent is the same write. Changes are pure functions from item to item; a port applies them
 * with compare-and-set.
 */
import * as z from 'zod';
import { planSchema } from '../deployment/plan.ts';
import { generationSchema } from '../fleet/generation.ts';
import { digest, generationName, type ServiceName, serviceName } from '../names.ts';
import { growing } from '../parse.ts';
import { weightsSchema } from '../traffic/weights.ts';
import { written } from './written.ts';

/** Milliseconds since the epoch. */
const instant = z.number();

const owner = growing({
  /** ARN of the execution; a redrive of it is a stranger. */
  execution: z.string(),
  redrives: z.int(),
  since: instant,
});

export const intent = growing({
  kind: z.enum(['launch', 'shift', 'restore', 'promote', 'terminate', 'retire', 'resize']),
  before: weightsSchema.nullable(),
  after: weightsSchema.nullable(),
  fence: z.int(),
  at: instant,
});
export type Intent = z.infer<typeof intent>;

const wait = growing({
  token: z.string(),
  for: z.enum(['healthy', 'bake', 'hand']),
  /** Null: it never ends by itself. */
  deadline: instant.nullable(),
  /** When its state was entered, plus a thousandth for each retry: a wait that began later replaces it, never an earlier one. */
  entered: z.number().default(0),
});
export type Wait = z.infer<typeof wait>;

/** Signals stay latched until the deployment ends, so one that comes between two waits is not lost. */
const latch = growing({
  running: z.array(z.string()).describe('tasks or instances of the new generation that ran'),
  crashes: z.array(growing({ task: z.string(), reason: z.string() })),
  fleetFailed: z.string().nullable(),
  /** Times that the fleet found no room for a task, by the event's id. */
  noRoom: z.array(growing({ event: z.string(), reason: z.string() })).default([]),
  /** Times that an instance could not be launched, by the event's id. */
  notLaunched: z.array(growing({ event: z.string(), reason: z.string() })).default([]),
  alarm: growing({ name: z.string(), reason: z.string(), at: instant }).nullable(),
  abort: growing({ by: z.string(), reason: z.string(), at: instant }).nullable(),
  /** The newer push that takes its place. */
  superseded: growing({ image: z.string(), at: instant }).nullable().default(null),
  /** Steps that may be left, by the word of whom. */
  approvals: z.array(growing({ step: z.int(), by: z.string(), reason: z.string(), at: instant })).default([]),
});
export type Latch = z.infer<typeof latch>;

/** What only a person can mend, or decide. */
const hold = growing({
  /** `held` in the middle, by a person's change; `frozen` when AWS refused the way on and refuses the way back; else `needsHand`. */
  kind: z.enum(['held', 'needsHand', 'frozen']),
  /** Name of the error that bars the way, and what it says. */
  error: z.string(),
  why: z.string(),
  since: instant,
  /** When it goes back by itself; null on the way back, which is tried until it works. */
  until: instant.nullable(),
  /** How many reminders were due when people were reminded last. */
  reminders: z.int(),
  remindedAt: instant,
  /** Who said to go on, or back, with what stands in the rule; null until somebody does. */
  answer: growing({ by: z.string(), reason: z.string(), at: instant }).nullable(),
});
export type Hold = z.infer<typeof hold>;

/** A step that is baked, and left only when somebody approves. */
const pause = growing({
  step: z.int(),
  since: instant,
  /** When it goes back by itself. */
  until: instant,
  /** How many reminders were due when people were reminded last. */
  reminders: z.int(),
  remindedAt: instant,
});
export type Pause = z.infer<typeof pause>;

/** A hook that is asked, and what it answered. */
const hookRun = growing({
  /** Of this run and all its repeats. */
  key: z.string(),
  hook: z.string(),
  stage: z.enum(['launched', 'testTraffic', 'step', 'promoted', 'restoring', 'draining']),
  /** Index of the weight step; null for the other stages. */
  step: z.int().nullable(),
  deployment: z.string(),
  /** What it is about. */
  generation: z.string(),
  /** When it must have answered. */
  until: instant,
  answer: growing({ verdict: z.enum(['pass', 'fail']), reason: z.string(), at: instant }).nullable(),
});
export type HookRun = z.infer<typeof hookRun>;

/** A person answers for deploying in spite of red alarms and freezes. */
const waiver = growing({ by: z.string(), reason: z.string(), at: instant });
export type Waiver = z.infer<typeof waiver>;

const outcome = z.enum(['live', 'restored', 'superseded', 'removed']);
export type Outcome = z.infer<typeof outcome>;

const deployment = growing({
  plan: planSchema,
  /** What asked for it: a push's event; null for a rollback, which a person asked for. */
  push: growing({ eventId: z.string(), at: instant }).nullable(),
  /** Who asked for a rollback, and why. */
  order: growing({ by: z.string(), reason: z.string() }).nullable(),
  /** Who answers for alarms that were red when it began, or for a freeze; null when nobody had to. */
  waiver: waiver.nullable().default(null),
  /** What was found before anything was launched, and does not stand in the way. */
  warnings: z.array(z.string()).default([]),
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
  /** When the new generation got its first weight; null before, and in what older versions wrote. */
  shiftedAt: instant.nullable().default(null),
  /** The new generation took all that was left at once, because the old one had died: no bake is waited out any more. */
  tookOver: z.boolean().default(false),
  latch,
  /** Why it went back, from the moment that it does. */
  reason: z.string().nullable(),
  /** What turned it back: the error's name, and when; null while it goes forward. */
  turned: growing({ error: z.string(), at: instant }).nullable().default(null),
  /** What a person had to look at last; null when nothing has to be. */
  hold: hold.nullable().default(null),
  /** What waits for a person's approval, or did last; null when nothing ever did. */
  pause: pause.nullable().default(null),
  outcome: outcome.nullable(),
  /** When the new generation lost the weight that it had; null while it has it, and when it never had any. */
  withdrawnAt: instant.nullable().default(null),
  /** The new generation is not ended before; null while nothing was taken back. */
  quietAt: instant.nullable(),
  /** Why the new generation is not gone long after its weight was taken away, as requests that still reach it; null before. */
  stillReached: z.string().nullable().default(null),
  /** How often in a row the new generation was seen healthy as a whole, and when last. */
  seenHealthy: growing({ times: z.int(), at: instant }).nullable().default(null),
  /** What the new generation left behind when it was taken back; null while nobody asked. */
  lastWords: growing({
    log: z.array(z.string()),
    events: z.array(z.string()),
    unread: z.array(z.string()),
  })
    .nullable()
    .default(null),
  /** Why the image of the new generation is not kept from expiring; null when it is, or was not tried yet. */
  imageNotKept: z.string().nullable().default(null),
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
  /** It is not offered again before; null: as soon as the service is free. */
  notBefore: instant.nullable().default(null),
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

/** A push that was answered, whatever the answer was. */
const answeredPush = growing({
  eventId: z.string(),
  tag: z.string(),
  digest,
  /** When the registry got the digest first; null when that could not be read. */
  pushedAt: instant.nullable(),
  /** When it was answered. */
  at: instant,
});

/** What stands with our tags though nothing references it: told once, and ended when somebody says so. */
const orphan = growing({
  name: generationName,
  /** Whether it runs, or is only what such a generation was launched from. */
  runs: z.boolean(),
  /** When it was found. */
  at: instant,
});
export type Orphan = z.infer<typeof orphan>;

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

/** An instance that is drained before it ends, or waits for its turn. */
const drain = growing({
  generation: generationName,
  instance: z.string(),
  /** When it was heard of. */
  since: instant,
  /** Null while it waits. */
  startedAt: instant.nullable(),
  /** How often it was handed on since: what calls its function has less time than it may have. */
  handed: z.int().default(0),
  /** The invocation that calls its function; null until one does. */
  caller: z.string().nullable().default(null),
});
export type Drain = z.infer<typeof drain>;

/** An instance that ended without having been drained. */
const undrained = growing({
  generation: generationName,
  instance: z.string(),
  reason: z.string(),
  at: instant,
});

const bounds = growing({ minimum: z.int(), maximum: z.int() });

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
  /** For the next push that is deployed; null when there is none. */
  waiver: waiver.nullable().default(null),
  /**
   * Between how many tasks the live generation, or the one that takes its place, is to scale when no deployment holds it any
   * more; null when nothing scales it, or nothing holds it.
   */
  bounds: bounds.nullable().default(null),
  /** What of the old generation's bounds was seen first, or written by us: others are somebody else's, and count. */
  knownBounds: z.array(bounds).default([]),
  /** The rule as we wrote it last, or as a person left it and told us to go on from; null before the first write. */
  weights: weightsSchema.nullable(),
  weightsAt: instant.nullable(),
  lastPush: growing({ eventId: z.string(), at: instant }).nullable(),
  /** Ids of the events admitted last: EventBridge may deliver one twice, hours apart. */
  admitted: z.array(z.string()),
  intake: intake.nullable(),
  /** The pushes answered last, oldest first: what the sweep need not look after. */
  seen: z.array(answeredPush).default([]),
  /** Generations whose image is gone from the registry, though one may still need it. */
  imagesMissing: z.array(growing({ generation: generationSchema, at: instant })).default([]),
  orphans: z.array(orphan).default([]),
  /** Hooks that are asked, the newest last. */
  hooks: z.array(hookRun).default([]),
  /** Instances that are drained, or wait for that, in the order in which they were heard of. */
  drains: z.array(drain).default([]),
  /** What people were told of last: not every instance whose drain fails. */
  undrained: undrained.nullable().default(null),
  /** Who wants the orphans ended; null when nobody does. */
  collect: growing({ by: z.string(), at: instant }).nullable().default(null),
  deployment: deployment.nullable(),
  wait: wait.nullable(),
  /**
   * The invocation that wrote this version. Nothing is decided on it: null when there is none that can be read, and for what
   * no record tells (waits and signals, the most frequent writes).
   */
  written: written.nullable().default(null).catch(null),
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
    waiver: null,
    bounds: null,
    knownBounds: [],
    weights: null,
    weightsAt: null,
    lastPush: null,
    admitted: [],
    intake: null,
    seen: [],
    imagesMissing: [],
    orphans: [],
    hooks: [],
    drains: [],
    undrained: null,
    collect: null,
    deployment: null,
    wait: null,
    written: null,
  };
}
