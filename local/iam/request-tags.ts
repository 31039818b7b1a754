/** The condition keys of the tags that a request gives or takes: `aws:RequestTag/key` and `aws:TagKeys`. */
import type { Input } from './resource-arns.ts';
import type { Context } from './wildcard.ts';

type Tags = readonly (readonly [key: string, value: string])[];

/** Of tags in any of the services' shapes; `aws:TagKeys` also of tags that are taken away. */
export function requestTags(input: Input): Context {
  const specified = Array.isArray(input['TagSpecifications'])
    ? (input['TagSpecifications'] as Input[]).flatMap(({ Tags }) => tagsIn(Tags))
    : [];
  const removed = input['tagKeys'] ?? input['TagKeys'];
  return tagContext(
    [...tagsIn(input['tags'] ?? input['Tags']), ...specified],
    Array.isArray(removed) ? removed.filter((key) => typeof key === 'string') : [],
  );
}

export function tagContext(tags: Tags, removed: readonly string[] = []): Context {
  const keys = [...new Set([...tags.map(([key]) => key), ...removed])];
  return {
    ...Object.fromEntries(tags.map(([key, value]) => [`aws:requesttag/${key}`, value])),
    ...(keys.length === 0 ? {} : { 'aws:tagkeys': keys }),
  };
}

/** A list of keys and values, their names in either case, or a map. */
export function tagsIn(given: unknown): Tags {
  if (typeof given !== 'object' || given === null) return [];
  const pairs: readonly (readonly [unknown, unknown])[] = Array.isArray(given)
    ? (given as Input[]).map((tag) => [tag['key'] ?? tag['Key'], tag['value'] ?? tag['Value']])
    : Object.entries(given);
  return pairs.map(([key, value]) => [String(key), typeof value === 'string' ? value : '']);
}
