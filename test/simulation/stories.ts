/** What happens in many a directed test: told once here. All begin with a generation that is live. */
import type { Interception } from '../../local/services/events/delivery.ts';
import type { World } from './world.ts';

/** What becomes of the deliveries of these events, `times` times. */
export function events(
  world: World,
  which: (detailType: string, target: string) => boolean,
  becomes: Interception,
  times = Infinity,
): void {
  let left = times;
  world.onDelivery((detailType, target) => {
    if (left === 0 || !which(detailType, target)) return undefined;
    left -= 1;
    return becomes;
  });
}

export const isPush = (detailType: string): boolean => detailType === 'ECR Image Action';

/** The deployment of this digest bakes at this step. */
export async function baking(world: World, digest: string, step: number): Promise<void> {
  await world.pass(() => {
    const { deployment, wait } = world.item ?? {};
    return deployment?.plan.to.digest === digest && deployment.step === step && wait?.for === 'bake';
  }, `the bake of step ${step}`);
}

export async function desired(world: World, name: string, count: number): Promise<void> {
  const fleet = await world.fleet();
  await world.aws.until(fleet.resize(name, count));
  world.note(`a person sets ${name} to ${count}`);
}

export async function alarm(world: World, StateValue: 'ALARM' | 'OK'): Promise<void> {
  await world.ask('monitoring', 'SetAlarmState', {
    AlarmName: 'web-5xx',
    StateValue,
    StateReason: 'set by the test',
  });
}

/** How many generations were made. */
export function generations(world: World): number {
  return world.checker.writes.filter(({ effect }) => effect === 'making').length;
}

/** What generations were told to end. */
export function endings(world: World): readonly unknown[] {
  return world.checker.writes.filter(({ effect }) => effect === 'ending');
}
