/** What a deployment is going to do: made once by Plan, carried by the execution, never read back from the ledger. */
import * as z from 'zod';
import { generationSchema } from '../fleet/generation.ts';
import { deploymentId } from '../names.ts';
import { growing } from '../parse.ts';
import { serviceSettings } from '../service-settings.ts';
import { weightsSchema } from '../traffic/weights.ts';
import { allGates, gateName } from './strategy.ts';

export const planStep = growing({
  weightPercent: z.int().min(1).max(100),
  bakeSeconds: z.int().min(0),
  /** The whole rule at this step. */
  weights: weightsSchema,
  /** What is asked beside its health; what an older version planned asked all that there was. */
  gates: z.array(gateName).default([...allGates]),
  /** A person must approve before it goes on. */
  pause: z.boolean().default(false),
});
export type PlanStep = z.infer<typeof planStep>;

export const planSchema = growing({
  deployment: deploymentId,
  /** The right to change the service: refused once a newer one was issued. */
  fence: z.int().min(1),
  direction: z.enum(['forward', 'back']),
  from: generationSchema.nullable().describe('what is live; null before the first deployment'),
  to: generationSchema,
  /** `to` ran before the deployment and is kept when it fails: a rollback to a retained generation. */
  kept: z.boolean(),
  /** Whose task definition or launch template `to` is launched from; null: the service's template. */
  copyOf: generationSchema.nullable(),
  /** Empty when the rule already sends everything to the new generation's slot: the first deployment. */
  steps: z.array(planStep),
  /** The rule when the deployment began, and where a restore goes back to. */
  weightsBefore: weightsSchema,
  settings: growing(serviceSettings.shape),
});
export type Plan = z.infer<typeof planSchema>;
