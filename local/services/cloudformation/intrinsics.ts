/** CloudFormation's intrinsic functions: a template's value, resolved against what exists by now. */
import { cidrBlocks } from '../ec2/cidr.ts';
import { asText, isObject, type Json, type JsonObject } from './json.ts';
import { subVariable } from './references.ts';
import { invalid } from './template.ts';

/** What references resolve to. Every member throws when it has no answer. */
export interface Lookup {
  /** A parameter's value, a resource's physical id or a pseudo parameter. `undefined` is AWS::NoValue. */
  ref(name: string): Json | undefined;
  attribute(logicalId: string, name: string): Json;
  condition(name: string): boolean;
  mapping(map: string, first: string, second: string): Json;
  importValue(exportName: string): Json;
  availabilityZones(region: string): string[];
}

type Function = (argument: Json, resolver: Resolver) => Json | undefined;

interface Resolver {
  readonly lookup: Lookup;
  readonly resolve: (value: Json) => Json | undefined;
  readonly list: (value: Json, name: string) => Json[];
  readonly text: (value: Json, name: string) => string;
}

/** `undefined` stands for AWS::NoValue; members and elements that resolve to it are left out. */
export function resolve(value: Json, lookup: Lookup): Json | undefined {
  const resolver: Resolver = {
    lookup,
    resolve: (inner) => resolve(inner, lookup),
    list(inner, name) {
      const resolved = resolve(inner, lookup);
      if (!Array.isArray(resolved)) throw invalid(`Template error: ${name} requires a list`);
      return resolved;
    },
    text(inner, name) {
      const resolved = resolve(inner, lookup);
      if (resolved === undefined || typeof resolved === 'object') {
        throw invalid(`Template error: every value of ${name} must be a string`);
      }
      return String(resolved);
    },
  };
  if (Array.isArray(value)) return present(value.map((inner) => resolver.resolve(inner)));
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  const only = keys.length === 1 ? keys[0]! : '';
  if (isFunction(only)) {
    const run = functions.get(only);
    if (run === undefined) throw invalid(`Template error: the function ${only} is not supported`);
    return run((value as JsonObject)[only]!, resolver);
  }
  const stray = keys.find((key) => key.startsWith('Fn::'));
  if (stray !== undefined) throw invalid(`Template error: ${stray} must stand alone in its object`);
  return Object.fromEntries(
    Object.entries(value as JsonObject).flatMap(([key, inner]) => {
      const resolved = resolver.resolve(inner);
      return resolved === undefined ? [] : [[key, resolved]];
    }),
  );
}

/** The truth of a condition, as Conditions, Rules and other conditions hold it: a function, or `{ "Condition": name }`. */
export function conditionHolds(condition: Json, lookup: Lookup): boolean {
  if (
    isObject(condition) &&
    Object.keys(condition).length === 1 &&
    typeof condition['Condition'] === 'string'
  ) {
    return lookup.condition(condition['Condition']);
  }
  const value = resolve(condition, lookup);
  if (value === true || value === 'true') return true;
  if (value === false || value === 'false') return false;
  throw invalid(`Template error: ${JSON.stringify(condition)} is no condition`);
}

/** IAM policies have a member `Condition` that holds an object; the function's argument is a name. */
function isFunction(key: string): boolean {
  return key === 'Ref' || key.startsWith('Fn::');
}

function present(values: (Json | undefined)[]): Json[] {
  return values.filter((value) => value !== undefined);
}

function pair(argument: Json, name: string): [Json, Json] {
  if (!Array.isArray(argument) || argument.length !== 2) {
    throw invalid(`Template error: ${name} requires a list of two elements`);
  }
  return [argument[0]!, argument[1]!];
}

function all(argument: Json, name: string): Json[] {
  if (!Array.isArray(argument) || argument.length < 1 || argument.length > 10) {
    throw invalid(`Template error: ${name} requires a list of 2 to 10 conditions`);
  }
  return argument;
}

const functions: ReadonlyMap<string, Function> = new Map<string, Function>([
  ['Ref', (argument, { lookup }) => lookup.ref(asText(argument))],
  [
    'Fn::GetAtt',
    (argument, { lookup, text }) => {
      if (typeof argument === 'string') {
        const dot = argument.indexOf('.');
        if (dot === -1) throw invalid(`Template error: Fn::GetAtt "${argument}" names no attribute`);
        return lookup.attribute(argument.slice(0, dot), argument.slice(dot + 1));
      }
      const [logicalId, attribute] = pair(argument, 'Fn::GetAtt');
      return lookup.attribute(asText(logicalId), text(attribute, 'Fn::GetAtt'));
    },
  ],
  [
    'Fn::Join',
    (argument, { list, text }) => {
      const [delimiter, values] = pair(argument, 'Fn::Join');
      return list(values, 'Fn::Join')
        .map((value) => text(value, 'Fn::Join'))
        .join(asText(delimiter));
    },
  ],
  [
    'Fn::Sub',
    (argument, { lookup, text }) => {
      const [template, variables] = Array.isArray(argument) ? pair(argument, 'Fn::Sub') : [argument, {}];
      const own = variables as JsonObject;
      return asText(template).replaceAll(subVariable, (whole, literal: string, reference: string) => {
        if (literal === '!') return whole.replace('!', '');
        if (Object.hasOwn(own, reference)) return text(own[reference]!, 'Fn::Sub');
        const dot = reference.indexOf('.');
        const value =
          dot === -1
            ? lookup.ref(reference)
            : lookup.attribute(reference.slice(0, dot), reference.slice(dot + 1));
        return text(value ?? null, 'Fn::Sub');
      });
    },
  ],
  [
    'Fn::Select',
    (argument, { list, text }) => {
      const [index, values] = pair(argument, 'Fn::Select');
      const selected = list(values, 'Fn::Select')[Number(text(index, 'Fn::Select'))];
      if (selected === undefined) {
        throw invalid(
          `Template error: Fn::Select cannot select nonexistent value at index ${text(index, 'Fn::Select')}`,
        );
      }
      return selected;
    },
  ],
  [
    'Fn::Split',
    (argument, { text }) => {
      const [delimiter, value] = pair(argument, 'Fn::Split');
      return text(value, 'Fn::Split').split(asText(delimiter));
    },
  ],
  [
    'Fn::GetAZs',
    (argument, { lookup, text }) => {
      const name = text(argument, 'Fn::GetAZs');
      return lookup.availabilityZones(name === '' ? text({ Ref: 'AWS::Region' }, 'Fn::GetAZs') : name);
    },
  ],
  ['Fn::ImportValue', (argument, { lookup, text }) => lookup.importValue(text(argument, 'Fn::ImportValue'))],
  [
    'Fn::FindInMap',
    (argument, { lookup, text }) => {
      if (!Array.isArray(argument) || argument.length !== 3) {
        throw invalid('Template error: every Fn::FindInMap object requires three parameters');
      }
      const [map, first, second] = argument.map((part) => text(part, 'Fn::FindInMap'));
      return lookup.mapping(map!, first!, second!);
    },
  ],
  ['Fn::Base64', (argument, { text }) => Buffer.from(text(argument, 'Fn::Base64')).toString('base64')],
  [
    'Fn::Cidr',
    (argument, { text }) => {
      if (!Array.isArray(argument) || argument.length < 2)
        throw invalid('Template error: Fn::Cidr requires a list');
      const [block, count, bits] = argument.map((part) => text(part, 'Fn::Cidr'));
      return cidrBlocks(block!, Number(count), Number(bits ?? 8));
    },
  ],
  [
    'Fn::If',
    (argument, { lookup, resolve: inner }) => {
      if (!Array.isArray(argument) || argument.length !== 3) {
        throw invalid('Template error: Fn::If requires a list argument with three elements');
      }
      return inner(argument[lookup.condition(asText(argument[0]!)) ? 1 : 2]!);
    },
  ],
  [
    'Fn::Equals',
    (argument, { text }) => {
      const [one, other] = pair(argument, 'Fn::Equals');
      return text(one, 'Fn::Equals') === text(other, 'Fn::Equals');
    },
  ],
  ['Fn::And', (argument, { lookup }) => all(argument, 'Fn::And').every((one) => conditionHolds(one, lookup))],
  ['Fn::Or', (argument, { lookup }) => all(argument, 'Fn::Or').some((one) => conditionHolds(one, lookup))],
  ['Fn::Not', (argument, { lookup }) => !conditionHolds(all(argument, 'Fn::Not')[0]!, lookup)],
  [
    'Fn::Contains',
    (argument, { list, text }) => {
      const [values, wanted] = pair(argument, 'Fn::Contains');
      return list(values, 'Fn::Contains').map(String).includes(text(wanted, 'Fn::Contains'));
    },
  ],
]);
