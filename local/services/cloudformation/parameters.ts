/** A stack's parameters: what was given, by the template's definitions, with values fetched from Parameter Store. */
import type { Parameter } from '@aws-sdk/client-cloudformation';
import type { Json } from './json.ts';
import { invalid, type Template } from './template.ts';

interface ResolvedParameter {
  readonly key: string;
  /** What was given: for an SSM parameter, its name. */
  readonly value: string;
  /** What Ref gives. */
  readonly resolved: Json;
  /** The value fetched from Parameter Store. */
  readonly fetched?: string;
  readonly noEcho: boolean;
}

export type Parameters = ReadonlyMap<string, ResolvedParameter>;

/** The value of a parameter of Parameter Store; `undefined` when there is none. */
export type StoredParameter = (name: string) => Promise<string | undefined>;

const ssmType = /^AWS::SSM::Parameter::Value<(.+)>$/;

export async function resolveParameters(
  template: Template,
  given: readonly Parameter[],
  previous: Parameters,
  stored: StoredParameter,
): Promise<Parameters> {
  const unknown = given.filter(({ ParameterKey }) => template.Parameters[ParameterKey!] === undefined);
  if (unknown.length > 0) {
    throw invalid(
      `Parameters: [${unknown.map(({ ParameterKey }) => ParameterKey).join(', ')}] do not exist in the template`,
    );
  }
  const values = new Map<string, string>();
  for (const [key, definition] of Object.entries(template.Parameters)) {
    const own = given.find(({ ParameterKey }) => ParameterKey === key);
    const value =
      own?.UsePreviousValue === true
        ? previous.get(key)?.value
        : (own?.ParameterValue ?? defaultOf(definition.Default));
    if (value !== undefined) values.set(key, value);
  }
  const missing = Object.keys(template.Parameters).filter((key) => !values.has(key));
  if (missing.length > 0) throw invalid(`Parameters: [${missing.join(', ')}] must have values`);
  const resolved = new Map<string, ResolvedParameter>();
  for (const [key, value] of values) {
    const definition = template.Parameters[key]!;
    check(key, value, definition);
    const inner = ssmType.exec(definition.Type)?.[1];
    const fetched = inner === undefined ? undefined : await stored(value);
    if (inner !== undefined && fetched === undefined) {
      throw invalid(`Unable to fetch parameters [${value}] from parameter store for this account.`);
    }
    resolved.set(key, {
      key,
      value,
      resolved: typed(inner ?? definition.Type, fetched ?? value),
      ...(fetched === undefined ? {} : { fetched }),
      noEcho: String(definition.NoEcho) === 'true',
    });
  }
  return resolved;
}

/** As DescribeStacks shows them. */
export function shownParameters(parameters: Parameters): Parameter[] {
  return [...parameters.values()].map(({ key, value, fetched, noEcho }) => ({
    ParameterKey: key,
    ParameterValue: noEcho ? '****' : value,
    ...(fetched === undefined ? {} : { ResolvedValue: fetched }),
  }));
}

function defaultOf(value: Json | undefined): string | undefined {
  return value === undefined || typeof value === 'object' ? undefined : String(value);
}

function check(key: string, value: string, definition: Template['Parameters'][string]): void {
  const constraint = definition.ConstraintDescription;
  if (definition.AllowedValues !== undefined && !definition.AllowedValues.map(String).includes(value)) {
    throw invalid(
      `Parameter '${key}' ${constraint === undefined ? `must be one of AllowedValues` : `failed to satisfy constraint: ${constraint}`}`,
    );
  }
  if (
    definition.AllowedPattern !== undefined &&
    !new RegExp(`^(?:${definition.AllowedPattern})$`).test(value)
  ) {
    throw invalid(
      `Parameter '${key}' ${constraint === undefined ? `must match pattern ${definition.AllowedPattern}` : `failed to satisfy constraint: ${constraint}`}`,
    );
  }
  if (definition.Type === 'Number' && Number.isNaN(Number(value))) {
    throw invalid(`Parameter '${key}' must be a number`);
  }
}

function typed(type: string, value: string): Json {
  if (type === 'CommaDelimitedList' || type.startsWith('List<')) {
    return value === '' ? [] : value.split(',').map((element) => element.trim());
  }
  if (type === 'String' || type === 'Number' || type.startsWith('AWS::')) return value;
  throw invalid(`Template format error: Unrecognized parameter type: ${type}`);
}
