/** What the simulated world asks of, and a person does to, generations of one kind of fleet. As the account's root, in no time. */
import type * as z from 'zod';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import type { scalingSettings } from '../../functions/core/fleet/scaling.ts';

/** A generation that runs. */
export interface Running {
  readonly desired: number;
  readonly running: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** How a generation scales, but for its schedule. */
export interface Scaling {
  readonly minimum: number;
  readonly maximum: number;
  /** Each with what it tracks. */
  readonly policies: readonly string[];
}

/** What a call is about to do to a generation. */
export type Effect =
  | { readonly kind: 'making'; readonly name: string /** Of what it is made. */; readonly source: string }
  /** Undefined: as large as it is. */
  | { readonly kind: 'sizing'; readonly name: string; readonly desired: number | undefined }
  | { readonly kind: 'ending'; readonly name: string };

type Of = Pick<Generation, 'name' | 'slot'>;

export interface SimulatedFleet {
  /** Signing names of the services that hold generations, for what writes to them. */
  readonly services: readonly string[];
  effectOf(service: string, operation: string, input: object): Effect | undefined;
  /** Undefined when it does not run. */
  find(name: string): Promise<Running | undefined>;
  /** At this instant; undefined when it does not run. */
  wanted(name: string): number | undefined;
  /** Names of the generations that run. */
  running(): Promise<readonly string[]>;
  /** Ids of its targets, as the load balancer names them. */
  targets(name: string): Promise<readonly string[]>;
  image(source: string): Promise<string>;
  /** `own`: the target group of its slot. Undefined when nothing scales it. */
  scaling(of: Of, own: string): Promise<Scaling | undefined>;
  schedule(name: string): Promise<readonly string[]>;
  scaled(): Promise<readonly string[]>;
  /** As the declaration of this kind of fleet writes it. */
  declared(scaling: z.input<typeof scalingSettings>): object;
  resize(name: string, count: number): Promise<void>;
  delete(name: string): Promise<void>;
}

/** `web-blue: ALBRequestCountPerTarget 500 of its slot` */
export function policyInWords(
  name: string | undefined,
  tracking:
    | {
        readonly TargetValue: number | undefined;
        readonly PredefinedMetricSpecification?:
          | {
              readonly PredefinedMetricType: string | undefined;
              readonly ResourceLabel?: string | undefined;
            }
          | undefined;
      }
    | undefined,
  own: string,
): string {
  const { PredefinedMetricType, ResourceLabel } = tracking?.PredefinedMetricSpecification ?? {};
  const where = ResourceLabel?.endsWith(own) === true ? 'its slot' : ResourceLabel;
  return `${name}: ${PredefinedMetricType} ${tracking?.TargetValue} of ${where}`;
}
