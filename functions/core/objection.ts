/** What stands against a deployment, found before anything of it is launched. */

export interface Objection {
  /**
   * `refuse`: it would fail, or endanger the traffic. `warn`: it may, or could not be looked at; people are told, and the
   * deployment goes on.
   */
  readonly severity: 'refuse' | 'warn';
  readonly check: Check;
  /** What happened, with which value, and what to do. */
  readonly words: string;
}

export type Check =
  | 'alarms'
  | 'rule'
  | 'slots'
  | 'image'
  | 'template'
  | 'roles'
  | 'addresses'
  | 'quota'
  | 'targets'
  | 'live';

/** All that refuses, in words; undefined when nothing does. */
export function refusalIn(objections: readonly Objection[]): string | undefined {
  const words = objections.flatMap((each) => (each.severity === 'refuse' ? [each.words] : []));
  return words.length === 0 ? undefined : words.join('; ');
}

/** All that is to be told of a deployment that goes on. */
export function warningsIn(objections: readonly Objection[]): readonly string[] {
  return objections.flatMap((each) => (each.severity === 'warn' ? [each.words] : []));
}

/** Never silently passed: what protects only the speed of a failure, and could not be looked at. */
export function unchecked(check: Check, what: string, why: string): Objection {
  return { severity: 'warn', check, words: `${what} not checked: ${why}` };
}
