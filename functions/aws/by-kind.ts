/** Who is asked of a generation: the adapter of the kind of fleet that it was launched on, or that its service declares. */
import { CutoverError } from '../core/errors.ts';
import type { Generation } from '../core/fleet/generation.ts';
import type { Standing } from '../core/fleet/orphans.ts';
import type { Bounds } from '../core/fleet/scaling.ts';
import type { GenerationName } from '../core/names.ts';
import type { FleetSurvey } from '../core/preflight/preflight.ts';
import type { FleetSettings, ServiceSettings } from '../core/service-settings.ts';
import type { Ending, Fleet, FleetDeclarations, RunningFleet } from '../ports/fleet.ts';
import type { FleetSurveyor } from '../ports/preflight.ts';
import type { Scaling } from '../ports/scaling.ts';
import type { Witness } from '../ports/witness.ts';
import { mistakesInFleet } from './fleet-mistakes.ts';

/** One adapter for each kind of fleet. */
export interface Kinds<T> {
  readonly ecs: T;
  readonly asg: T;
}

function of<T>(kinds: Kinds<T>, settings: ServiceSettings, generation: Generation | null = null): T {
  const { kind } = generation?.fleet ?? settings.fleet;
  if (kind === 'ecs' || kind === 'asg') return kinds[kind];
  throw new CutoverError('Cutover.InvalidInput', `fleet/kind: must be ecs or asg, got ${kind}`);
}

/** What scales one kind says nothing to another: then it is as the service declares. */
function alike({ fleet }: ServiceSettings, from: Generation | null, to: Generation): Generation | null {
  const kindOf = (generation: Generation) => (generation.fleet ?? fleet).kind;
  return from !== null && kindOf(from) === kindOf(to) ? from : null;
}

export class RunningFleetByKind implements RunningFleet, FleetDeclarations {
  readonly #kinds: Kinds<RunningFleet>;

  constructor(kinds: Kinds<RunningFleet>) {
    this.#kinds = kinds;
  }

  mistakesIn(fleet: FleetSettings): readonly string[] {
    return mistakesInFleet(fleet);
  }

  async resize(settings: ServiceSettings, generation: Generation, desired: number): Promise<void> {
    return of(this.#kinds, settings, generation).resize(settings, generation, desired);
  }

  async wanted(settings: ServiceSettings, generation: Generation) {
    return of(this.#kinds, settings, generation).wanted(settings, generation);
  }

  async observe(settings: ServiceSettings, generation: Generation) {
    return of(this.#kinds, settings, generation).observe(settings, generation);
  }
}

export class FleetByKind extends RunningFleetByKind implements Fleet {
  readonly #fleets: Kinds<Fleet>;

  constructor(kinds: Kinds<Fleet>) {
    super(kinds);
    this.#fleets = kinds;
  }

  async launch(
    settings: ServiceSettings,
    generation: Generation,
    desired: number,
    copyOf: Generation | null,
  ): Promise<void> {
    return of(this.#fleets, settings, generation).launch(settings, generation, desired, copyOf);
  }

  async terminate(settings: ServiceSettings, generation: Generation): Promise<Ending> {
    return of(this.#fleets, settings, generation).terminate(settings, generation);
  }

  async standing(
    settings: ServiceSettings,
    isAsked: (found: Pick<Standing, 'name' | 'runs'>) => boolean,
  ): Promise<readonly Standing[]> {
    return of(this.#fleets, settings).standing(settings, isAsked);
  }

  async discard(settings: ServiceSettings, name: GenerationName, what: 'all' | 'what runs'): Promise<Ending> {
    return of(this.#fleets, settings).discard(settings, name, what);
  }

  async forget(settings: ServiceSettings, generation: Generation): Promise<void> {
    return of(this.#fleets, settings, generation).forget(settings, generation);
  }
}

export class ScalingByKind implements Scaling {
  readonly #kinds: Kinds<Scaling>;

  constructor(kinds: Kinds<Scaling>) {
    this.#kinds = kinds;
  }

  async bounds(
    settings: ServiceSettings,
    generation: Generation | null,
    known?: readonly Bounds[],
  ): Promise<Bounds | undefined> {
    return of(this.#kinds, settings, generation).bounds(settings, generation, known);
  }

  async bound(settings: ServiceSettings, generation: Generation, bounds: Bounds): Promise<void> {
    return of(this.#kinds, settings, generation).bound(settings, generation, bounds);
  }

  async carry(
    settings: ServiceSettings,
    from: Generation | null,
    to: Generation,
    bounds: Bounds,
    known?: readonly Bounds[],
  ): Promise<void> {
    return of(this.#kinds, settings, to).carry(settings, alike(settings, from, to), to, bounds, known);
  }

  async carrySchedule(settings: ServiceSettings, from: Generation | null, to: Generation): Promise<void> {
    return of(this.#kinds, settings, to).carrySchedule(settings, alike(settings, from, to), to);
  }

  async release(settings: ServiceSettings, generation: Generation): Promise<void> {
    return of(this.#kinds, settings, generation).release(settings, generation);
  }
}

export class WitnessByKind implements Witness {
  readonly #kinds: Kinds<Witness>;

  constructor(kinds: Kinds<Witness>) {
    this.#kinds = kinds;
  }

  async lastWords(settings: ServiceSettings, generation: Generation, task: string | null) {
    return of(this.#kinds, settings, generation).lastWords(settings, generation, task);
  }
}

export class FleetSurveyorByKind implements FleetSurveyor {
  readonly #kinds: Kinds<FleetSurveyor>;

  constructor(kinds: Kinds<FleetSurveyor>) {
    this.#kinds = kinds;
  }

  async survey(settings: ServiceSettings): Promise<FleetSurvey> {
    return of(this.#kinds, settings).survey(settings);
  }
}
