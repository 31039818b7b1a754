/** Where expressions stand in a state, and what `$states` offers at each place. */
import type { State } from '../definition.ts';
import { parseResource } from '../integrations/resource.ts';
import { isObject } from '../json.ts';

export interface Site {
  /** `/States/Launch/Catch[0]/Assign/cause` */
  readonly path: string;
  readonly text: string;
  readonly offers: Offers;
}

export interface Offers {
  readonly result: boolean;
  readonly errorOutput: boolean;
  readonly token: boolean;
  readonly item: boolean;
}

/** All strings of a state that may be expressions. `inMap`: the state is run for an item. */
export function sitesOf(state: State, path: string, inMap: boolean): Site[] {
  const resource = state.Type === 'Task' ? parseResource(state.Resource) : undefined;
  const token = resource?.kind === 'lambda:invoke' && resource.waitsForToken;
  const plain: Offers = { result: false, errorOutput: false, token, item: inMap };
  const left = { ...plain, result: state.Type === 'Task' || state.Type === 'Map' };
  const sites: Site[] = [];
  const add = (value: unknown, at: string, offers: Offers) =>
    sites.push(...strings(value, at).map((one) => ({ ...one, offers })));

  for (const field of [
    'Arguments',
    'TimeoutSeconds',
    'HeartbeatSeconds',
    'Seconds',
    'Timestamp',
    'Error',
    'Cause',
    'Items',
  ]) {
    add((state as unknown as Record<string, unknown>)[field], `${path}/${field}`, plain);
  }
  if (state.Type === 'Map') add(state.ItemSelector, `${path}/ItemSelector`, { ...plain, item: true });
  if ('Output' in state) add(state.Output, `${path}/Output`, left);
  if ('Assign' in state) add(state.Assign, `${path}/Assign`, left);
  if (state.Type === 'Choice') {
    for (const [index, rule] of state.Choices.entries()) {
      for (const field of ['Condition', 'Output', 'Assign'] as const) {
        add(rule[field], `${path}/Choices[${index}]/${field}`, plain);
      }
    }
  }
  if ('Catch' in state) {
    for (const [index, catcher] of (state.Catch ?? []).entries()) {
      const offers = { ...plain, errorOutput: true };
      for (const field of ['Output', 'Assign'] as const)
        add(catcher[field], `${path}/Catch[${index}]/${field}`, offers);
    }
  }
  return sites;
}

function strings(value: unknown, path: string): { path: string; text: string }[] {
  if (typeof value === 'string') return [{ path, text: value }];
  if (Array.isArray(value))
    return value.flatMap((item: unknown, index) => strings(item, `${path}[${index}]`));
  if (isObject(value))
    return Object.entries(value).flatMap(([key, member]) => strings(member, `${path}/${key}`));
  return [];
}
