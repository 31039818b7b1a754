/**
 * Any metric of CloudWatch, or expression over metrics, as a gate: held to a limit, or to the old generation's value over the same
 * minutes. The mean of the minutes since the step's weights counts.
 */
import * as z from 'zod';
import type { Verdict } from './verdict.ts';

const metric = z.strictObject({
  id: z.string().regex(/^[a-z][A-Za-z0-9_]{0,20}$/, 'must begin with a small letter, as in metric math'),
  namespace: z.string().min(1).max(255),
  metricName: z.string().min(1).max(255),
  dimensions: z.record(z.string().min(1), z.string().min(1)).default({}),
  stat: z.string().min(1).describe('Sum, Average, p99, TM(10%:90%), …'),
});

const value = z.number();
const limit = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('atMost'), value }),
  z.strictObject({ kind: z.literal('atLeast'), value }),
  z.strictObject({ kind: z.literal('atMostTimesOld'), value: value.min(0.01) }),
  z.strictObject({ kind: z.literal('atLeastTimesOld'), value: value.min(0.01) }),
]);

export const metricGate = z.strictObject({
  name: z.string().min(1).max(60).describe('what people read when it says no'),
  metrics: z
    .array(metric)
    .min(1)
    .max(10)
    .describe(
      'dimensions may name {generation}, {service}, {slot}, {targetGroup} and {loadBalancer} of what is judged',
    ),
  expression: z
    .string()
    .min(1)
    .max(1_024)
    .optional()
    .describe('metric math over the ids; default: the only metric'),
  limit,
  missing: z
    .enum(['wait', 'fail', 'pass'])
    .default('wait')
    .describe('no value: the bake is extended and fails in the end, or at once, or it passes'),
});
export type MetricGate = z.infer<typeof metricGate>;

/** Ids are unique, and what is left out is clear. */
export const metricGates = z
  .array(metricGate)
  .max(20)
  .superRefine((gates, context) => {
    gates.forEach(({ metrics, expression }, index) => {
      const ids = metrics.map(({ id }) => id);
      const repeated = ids.find((id, at) => ids.indexOf(id) !== at);
      if (repeated !== undefined) {
        context.addIssue({
          code: 'custom',
          path: [index, 'metrics'],
          message: `two are called ${repeated}`,
        });
      }
      if (expression === undefined && metrics.length > 1) {
        context.addIssue({
          code: 'custom',
          path: [index, 'expression'],
          message: `is needed to make one value of ${ids.join(', ')}`,
        });
      }
    });
  });

/** A value for each minute that has one. */
export interface GateValues {
  readonly fresh: readonly number[];
  /** Of the old generation; empty where the limit does not ask for it. */
  readonly old: readonly number[];
}

export function comparesWithOld({ limit: { kind } }: MetricGate): boolean {
  return kind === 'atMostTimesOld' || kind === 'atLeastTimesOld';
}

export function metricVerdict(gate: MetricGate, { fresh, old }: GateValues): Verdict {
  const seen = meanOf(fresh);
  const other = meanOf(old);
  if (seen === undefined) return missing(gate, 'has no value for the new generation yet');
  if (!comparesWithOld(gate)) return held(gate, seen, gate.limit.value, '');
  if (other === undefined) return missing(gate, 'has no value for the old generation yet');
  return held(
    gate,
    seen,
    other * gate.limit.value,
    `, ${gate.limit.value} × the old generation's ${round(other)}`,
  );
}

function held({ name, limit: { kind } }: MetricGate, seen: number, bound: number, whence: string): Verdict {
  const atMost = kind === 'atMost' || kind === 'atMostTimesOld';
  if (atMost ? seen <= bound : seen >= bound) return { verdict: 'pass' };
  const reason = `${name} is ${round(seen)}, and may be ${round(bound)}${whence} at ${atMost ? 'most' : 'least'}`;
  return { verdict: 'fail', reasons: [reason] };
}

function missing({ name, missing: policy }: MetricGate, what: string): Verdict {
  switch (policy) {
    case 'pass':
      return { verdict: 'pass' };
    case 'wait':
      return { verdict: 'wait', missing: [`${name} ${what}`] };
    case 'fail':
      return { verdict: 'fail', reasons: [`${name} ${what}`] };
  }
}

function meanOf(values: readonly number[]): number | undefined {
  return values.length === 0 ? undefined : values.reduce((sum, each) => sum + each, 0) / values.length;
}

function round(of: number): number {
  return Number(of.toPrecision(4));
}
