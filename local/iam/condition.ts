/** IAM's condition operators. An operator that is not known here makes a policy malformed; none is silently true. */
import { type Context, matchesArn, matchesWildcard, substituted } from './wildcard.ts';

type Test = (given: string, wanted: string) => boolean;

const equals: Test = (given, wanted) => given === wanted;
const like: Test = (given, wanted) => matchesWildcard(wanted, given);
const ignoreCase: Test = (given, wanted) => given.toLowerCase() === wanted.toLowerCase();
const numeric =
  (compare: (given: number, wanted: number) => boolean): Test =>
  (given, wanted) =>
    compare(Number(given), Number(wanted));
const date =
  (compare: (given: number, wanted: number) => boolean): Test =>
  (given, wanted) =>
    compare(Date.parse(given), Date.parse(wanted));

/** True when the given value passes for any of the wanted ones. */
const positive: Readonly<Record<string, Test>> = {
  StringEquals: equals,
  StringEqualsIgnoreCase: ignoreCase,
  StringLike: like,
  // For ARNs, Equals and Like behave alike ("ARN condition operators" in the IAM guide).
  ArnEquals: (given, wanted) => matchesArn(wanted, given),
  ArnLike: (given, wanted) => matchesArn(wanted, given),
  Bool: ignoreCase,
  NumericEquals: numeric((given, wanted) => given === wanted),
  NumericLessThan: numeric((given, wanted) => given < wanted),
  NumericLessThanEquals: numeric((given, wanted) => given <= wanted),
  NumericGreaterThan: numeric((given, wanted) => given > wanted),
  NumericGreaterThanEquals: numeric((given, wanted) => given >= wanted),
  DateEquals: date((given, wanted) => given === wanted),
  DateLessThan: date((given, wanted) => given < wanted),
  DateLessThanEquals: date((given, wanted) => given <= wanted),
  DateGreaterThan: date((given, wanted) => given > wanted),
  DateGreaterThanEquals: date((given, wanted) => given >= wanted),
};

/** True when the given value passes for none of the wanted ones; also when there is no value. */
const negative: Readonly<Record<string, Test>> = {
  StringNotEquals: equals,
  StringNotEqualsIgnoreCase: ignoreCase,
  StringNotLike: like,
  ArnNotEquals: (given, wanted) => matchesArn(wanted, given),
  ArnNotLike: (given, wanted) => matchesArn(wanted, given),
  NumericNotEquals: numeric((given, wanted) => given === wanted),
  DateNotEquals: date((given, wanted) => given === wanted),
};

interface Operator {
  readonly name: string;
  readonly ifExists: boolean;
  readonly set: 'ForAllValues' | 'ForAnyValue' | undefined;
}

function parse(operator: string): Operator {
  const [, set, name = '', ifExists] =
    /^(?:(ForAllValues|ForAnyValue):)?(.*?)(IfExists)?$/.exec(operator) ?? [];
  return { name, ifExists: ifExists !== undefined, set: set as Operator['set'] };
}

export function isConditionOperator(operator: string): boolean {
  const { name, ifExists, set } = parse(operator);
  if (name === 'Null') return !ifExists && set === undefined;
  return Object.hasOwn(positive, name) || Object.hasOwn(negative, name);
}

/**
 * `key` lower-cased as in `Context`. Without a set operator a positive test of several values asks for any, a negative one for
 * all: what AWS does then is not documented ("multivalued context keys require a condition set operator").
 */
export function conditionHolds(
  operator: string,
  key: string,
  wanted: readonly string[],
  context: Context,
): boolean {
  const { name, ifExists, set } = parse(operator);
  const given = context[key];
  if (name === 'Null')
    return wanted.some((absent) => (absent.toLowerCase() === 'true') === (given === undefined));
  if (given === undefined) {
    if (ifExists || set === 'ForAllValues') return true;
    return set === undefined && Object.hasOwn(negative, name);
  }
  const values = wanted.map((each) => substituted(each, context)).filter((each) => each !== undefined);
  const test = positive[name] ?? negative[name];
  if (test === undefined)
    throw new Error(`condition operator ${operator} was not checked when its policy was read`);
  const isNegative = Object.hasOwn(negative, name);
  const holds = (one: string): boolean => values.some((each) => test(one, each)) !== isNegative;
  const all = typeof given === 'string' ? [given] : given;
  const every = set === 'ForAllValues' || (set === undefined && isNegative);
  return every ? all.every(holds) : all.some(holds);
}
