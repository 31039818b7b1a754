/** What stands against a deployment, found before anything of it is launched. */

export interface Objection {
  /**
   * `refuse`: it would fail, or endanger the traffic. `warn`: it may, or could not be looked at; people are told, and the
   * deployment goes on.
   */
  readonly severity: 'refuse' | 'warn';
  readonly check: Check;
  /** The alarm that is red; undefined for all else. A person may waive it. */
  readonly redAlarm?: string;
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

/** Somebody answers for a red alarm: it is told, and refuses nothing. */
export function waived(objection: Objection, by: string): Objection {
  return objection.redAlarm === undefined
    ? objection
    : { ...objection, severity: 'warn', words: `${objection.words}, which ${by} waived` };
}

/** The red alarms, when they are all that refuses. */
export function onlyRedAlarms(objections: readonly Objection[]): readonly string[] | undefined {
  const refusing = objections.filter(({ severity }) => severity === 'refuse');
  const red = refusing.flatMap(({ redAlarm }) => redAlarm ?? []);
  return red.length === refusing.length && red.length > 0 ? red : undefined;
}

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
