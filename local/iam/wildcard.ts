/** IAM's patterns: `*` for any characters, `?` for one. */

/** The request's condition keys, lower-cased, each with its value; with a list where a key can have several (`aws:TagKeys`). */
export type Context = Readonly<Record<string, string | readonly string[]>>;

export function matchesWildcard(
  pattern: string,
  value: string,
  options: { ignoreCase?: boolean } = {},
): boolean {
  if (pattern === '*') return true;
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, options.ignoreCase ? 'is' : 's').test(value);
}

/**
 * ARNs match part by part: `*` does not reach over a colon, except in the last part of the pattern, which takes all that
 * is left ("can expand to match beyond the colon boundaries", IAM guide on the Resource element).
 */
export function matchesArn(pattern: string, value: string): boolean {
  if (pattern === '*') return true;
  const wanted = splitAt(pattern, 6);
  const given = splitAt(value, wanted.length);
  return (
    wanted.length === given.length && wanted.every((part, index) => matchesWildcard(part, given[index]!))
  );
}

function splitAt(arn: string, count: number): string[] {
  const parts = arn.split(':');
  return parts.length <= count ? parts : [...parts.slice(0, count - 1), parts.slice(count - 1).join(':')];
}

/** Lower-cases a condition key, which is not case-sensitive, but not the tag's key in `aws:RequestTag/Key`. */
export function lowerKey(key: string): string {
  const slash = key.indexOf('/');
  return slash === -1 ? key.toLowerCase() : key.slice(0, slash).toLowerCase() + key.slice(slash);
}

/**
 * Puts values in for `${…}` (`${aws:PrincipalTag/team}`). Undefined when a variable has none, or can have several: AWS then lets the statement match nothing. The escapes
 * `${*}`, `${?}` and `${$}` are not known here and match nothing either.
 */
export function substituted(pattern: string, context: Context): string | undefined {
  let complete = true;
  const text = pattern.replaceAll(/\$\{([^}]*)\}/g, (_, variable: string) => {
    const [key = '', fallback] = variable.split(',').map((part) => part.trim());
    const given = context[lowerKey(key)];
    const value = (typeof given === 'string' ? given : undefined) ?? fallback?.replaceAll(/^'|'$/g, '');
    if (value === undefined) complete = false;
    return value ?? '';
  });
  return complete ? text : undefined;
}
