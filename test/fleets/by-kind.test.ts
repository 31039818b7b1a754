/** Who is asked of a generation: the adapter of the kind that it was launched on. */
import { beforeEach, describe, expect, it } from 'vitest';
import {
  FleetByKind,
  FleetSurveyorByKind,
  RunningFleetByKind,
  ScalingByKind,
  WitnessByKind,
} from '../../functions/aws/by-kind.ts';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import type { Fleet } from '../../functions/ports/fleet.ts';
import type { FleetSurveyor } from '../../functions/ports/preflight.ts';
import type { Scaling } from '../../functions/ports/scaling.ts';
import type { Witness } from '../../functions/ports/witness.ts';
import { generationOf, settingsOf } from '../core/examples.ts';

const on = (kind: string): Generation => ({ ...generationOf(1), fleet: { kind } });
const unsaid = generationOf(2);
const settings = settingsOf({ fleet: { kind: 'asg' } });
const bounds = { minimum: 1, maximum: 2 };

let asked: unknown[][];
beforeEach(() => {
  asked = [];
});

/** An adapter that notes what it is asked. */
const noting = <T extends object>(kind: string): T =>
  new Proxy<T>({} as T, {
    get:
      (_, operation) =>
      async (...given: unknown[]) => {
        asked.push([kind, operation, ...given.slice(1)]);
      },
  });
const kinds = <T extends object>() => ({ ecs: noting<T>('ecs'), asg: noting<T>('asg') });
const fleet = new FleetByKind(kinds<Fleet>());
const running = new RunningFleetByKind(kinds<Fleet>());
const scaling = new ScalingByKind(kinds<Scaling>());
const witness = new WitnessByKind(kinds<Witness>());
const surveyor = new FleetSurveyorByKind(kinds<FleetSurveyor>());

const ofGeneration: readonly [string, (generation: Generation) => Promise<unknown>][] = [
  ['launch', (generation) => fleet.launch(settings, generation, 2, null)],
  ['terminate', (generation) => fleet.terminate(settings, generation)],
  ['forget', (generation) => fleet.forget(settings, generation)],
  ['resize', (generation) => fleet.resize(settings, generation, 2)],
  ['wanted', (generation) => running.wanted(settings, generation)],
  ['observe', (generation) => running.observe(settings, generation)],
  ['bounds', (generation) => scaling.bounds(settings, generation)],
  ['bound', (generation) => scaling.bound(settings, generation, bounds)],
  ['release', (generation) => scaling.release(settings, generation)],
  ['lastWords', (generation) => witness.lastWords(settings, generation, null)],
];

describe.each(ofGeneration)('%s', (operation, ask) => {
  it.each([
    ['ecs', on('ecs')],
    ['asg', on('asg')],
    ['asg', unsaid],
  ])('asks %s', async (kind, generation) => {
    await ask(generation);
    expect(asked).toEqual([expect.arrayContaining([kind, operation, generation])]);
  });

  it('knows no other kind', async () => {
    await expect(ask(on('pigeons'))).rejects.toMatchObject({
      name: 'Cutover.InvalidInput',
      message: 'fleet/kind: must be ecs or asg, got pigeons',
    });
  });
});

it('what concerns no one generation asks the kind that the service declares', async () => {
  await fleet.standing(settings, () => true);
  await fleet.discard(settings, unsaid.name, 'all');
  await scaling.bounds(settings, null);
  await surveyor.survey(settings);
  expect(asked.map(([kind, operation]) => `${String(kind)} ${String(operation)}`)).toEqual([
    'asg standing',
    'asg discard',
    'asg bounds',
    'asg survey',
  ]);
});

describe('what scales a generation', () => {
  it.each<[string, Generation | null, Generation, string, Generation | null]>([
    ['like another of its kind', on('asg'), unsaid, 'asg', on('asg')],
    ['as declared', null, on('ecs'), 'ecs', null],
    ['as declared, where the other one is of another kind', on('ecs'), unsaid, 'asg', null],
  ])('is carried %s', async (_, from, to, kind, asking) => {
    await scaling.carry(settings, from, to, bounds, []);
    await scaling.carrySchedule(settings, from, to);
    expect(asked).toEqual([
      [kind, 'carry', asking, to, bounds, []],
      [kind, 'carrySchedule', asking, to],
    ]);
  });
});

it('mistakes in the settings are told by the kind that they name', () => {
  expect(running.mistakesIn({ kind: 'pigeons' })).toEqual(['fleet/kind: must be ecs or asg, got pigeons']);
  expect(running.mistakesIn({ kind: 'ecs' })).toContainEqual(expect.stringMatching('^fleet/cluster: '));
  expect(running.mistakesIn({ kind: 'asg' })).toContainEqual(
    expect.stringMatching('^fleet/launchTemplate: '),
  );
});
