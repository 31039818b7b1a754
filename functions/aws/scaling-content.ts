/** What policies and schedules say, carried from one generation to another, whoever scales them. */
import type { Generation } from '../core/fleet/generation.ts';
import type { ServiceSettings } from '../core/service-settings.ts';
import { balancerOf, groupOf } from './alb-names.ts';

/** `app/main/0123456789abcdef/targetgroup/web-blue/0123456789abcdef` */
export function labelOf({ traffic }: ServiceSettings, { slot }: Generation): string {
  return `${balancerOf(traffic)}/${groupOf(traffic, slot)}`;
}

/** What stands for `from` in metrics that a person chose, and what for `to`: the generation itself, and its target group. */
export function namesFor(
  { traffic }: ServiceSettings,
  from: Generation,
  to: Generation,
): ReadonlyMap<string, string> {
  const before = traffic.slots.find(({ name }) => name === from.slot)?.targetGroup.split(':')[5];
  const names = new Map([[from.name as string, to.name as string]]);
  if (before !== undefined) names.set(before, groupOf(traffic, to.slot));
  return names;
}

/** Names that stand and are not wanted. */
export function superfluous<T>(
  standing: readonly T[],
  wanted: readonly T[],
  nameOf: (each: T) => string | undefined,
): readonly string[] {
  return standing.flatMap((each) => {
    const name = nameOf(each);
    return name === undefined || wanted.some((other) => nameOf(other) === name) ? [] : [name];
  });
}

/** Whatever the order of their members, and whether what is absent is said to be. */
export function sameContent(one: unknown, other: unknown): boolean {
  return canonical(one) === canonical(other);
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_, member: unknown) => {
    if (typeof member !== 'object' || member === null || Array.isArray(member)) return member;
    return Object.fromEntries(Object.entries(member).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}

/** Texts that are one of the names, wherever they stand. */
export function renamed<T>(value: T, names: ReadonlyMap<string, string>): T {
  if (typeof value === 'string') return (names.get(value) ?? value) as T;
  if (Array.isArray(value)) return value.map((each: unknown) => renamed(each, names)) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([member, each]) => [member, renamed<unknown>(each, names)]),
  ) as T;
}
