/** How traffic goes over: `allAtOnce`, `linear`, `canary`, or a list of steps of one's own. */
import * as z from 'zod';
import { type Parsed, parse } from '../parse.ts';

const percent = z.int().min(1).max(100);
/** A bake of a day at most: ECS's own blue/green allows 1,440 minutes. */
const bakeSeconds = z.int().min(0).max(86_400);

/** What may say no while a generation bakes, beside its health, which is always asked. */
export const gateName = z.enum(['alarms', 'comparison', 'metrics', 'hooks']);
export type GateName = z.infer<typeof gateName>;
export const allGates: readonly GateName[] = gateName.options;

const weightStep = z.strictObject({
  weightPercent: percent.describe('the share of traffic on the new generation'),
  bakeSeconds: bakeSeconds.describe('how long the gates watch at this weight'),
  gates: z.array(gateName).optional().describe('those that are asked at this weight; default: all'),
  pause: z
    .boolean()
    .optional()
    .describe('after the bake, a person must approve before the next step; default: false'),
});
/** One weight and the time spent at it. */
export type WeightStep = z.infer<typeof weightStep>;

const allAtOnce = z.strictObject({ kind: z.literal('allAtOnce'), bakeSeconds });
const linear = z.strictObject({
  kind: z.literal('linear'),
  stepPercent: percent.min(3, 'must be at least 3, as in ECS').describe('added at each step'),
  stepBakeSeconds: bakeSeconds,
  bakeSeconds: bakeSeconds.describe('at 100 %'),
});
const canary = z.strictObject({
  kind: z.literal('canary'),
  canaryPercent: percent.max(99),
  canaryBakeSeconds: bakeSeconds,
  bakeSeconds: bakeSeconds.describe('at 100 %'),
});
const custom = z.strictObject({
  kind: z.literal('custom'),
  steps: z
    .array(weightStep)
    .min(1)
    .max(100)
    .superRefine((steps, context) => {
      steps.forEach((step, index) => {
        const previous = steps[index - 1];
        if (previous !== undefined && step.weightPercent <= previous.weightPercent) {
          context.addIssue({
            code: 'custom',
            path: [index, 'weightPercent'],
            message: `must be above the step before it (${previous.weightPercent}), got ${step.weightPercent}`,
          });
        }
      });
      const last = steps.at(-1);
      if (last !== undefined && last.weightPercent !== 100) {
        context.addIssue({
          code: 'custom',
          path: [steps.length - 1, 'weightPercent'],
          message: `must be 100 at the last step, got ${last.weightPercent}`,
        });
      }
    }),
});

export const strategySchema = z.discriminatedUnion('kind', [allAtOnce, linear, canary, custom]);
export type Strategy = z.infer<typeof strategySchema>;

export function parseStrategy(value: unknown): Parsed<Strategy> {
  return parse(strategySchema, value);
}

/** The weights and bakes that a strategy comes to; the last is always at 100 %. */
export function stepsOf(strategy: Strategy): readonly WeightStep[] {
  switch (strategy.kind) {
    case 'allAtOnce':
      return [{ weightPercent: 100, bakeSeconds: strategy.bakeSeconds }];
    case 'linear': {
      const steps: WeightStep[] = [];
      for (let weight = strategy.stepPercent; weight < 100; weight += strategy.stepPercent) {
        steps.push({ weightPercent: weight, bakeSeconds: strategy.stepBakeSeconds });
      }
      return [...steps, { weightPercent: 100, bakeSeconds: strategy.bakeSeconds }];
    }
    case 'canary':
      return [
        { weightPercent: strategy.canaryPercent, bakeSeconds: strategy.canaryBakeSeconds },
        { weightPercent: 100, bakeSeconds: strategy.bakeSeconds },
      ];
    case 'custom':
      return strategy.steps;
  }
}
