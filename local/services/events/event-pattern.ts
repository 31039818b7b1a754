/**
 * Event patterns, as rules of EventBridge and filter policies of SNS have them: every field must match one of its values;
 * in arrays of objects all fields of a nested pattern must match within one object; `$or` needs one of its alternatives.
 */
import { compileValue, type Leaf, type Test } from './pattern-value.ts';

/** Whether an event (JSON values) matches. */
export type EventPattern = (event: unknown) => boolean;

/** From JSON text; throws an Error that says what is wrong with it. */
export function parseEventPattern(text: string): EventPattern {
  let pattern: unknown;
  try {
    pattern = JSON.parse(text);
  } catch {
    throw new Error('Invalid JSON');
  }
  return compileEventPattern(pattern);
}

export function compileEventPattern(pattern: unknown): EventPattern {
  if (!isObject(pattern)) throw new Error('Filter is not an object');
  return compileObject(pattern);
}

function compileObject(pattern: Readonly<Record<string, unknown>>): EventPattern {
  const fields = Object.entries(pattern);
  if (fields.length === 0) throw new Error('Empty objects are not allowed');
  const tests = fields.map(([name, value]) => {
    if (name === '$or' && isAlternatives(value)) return anyOf(value);
    return compileField(name, value);
  });
  return (event) => tests.every((test) => test(event));
}

function isAlternatives(value: unknown): value is Record<string, unknown>[] {
  return (
    Array.isArray(value) &&
    value.length > 1 &&
    value.every((item) => isObject(item) && Object.keys(item).length > 0)
  );
}

function anyOf(alternatives: readonly Record<string, unknown>[]): EventPattern {
  const patterns = alternatives.map(compileObject);
  return (event) => patterns.some((pattern) => pattern(event));
}

function compileField(name: string, value: unknown): EventPattern {
  if (isObject(value)) {
    const nested = compileObject(value);
    return (event) => {
      const inner = memberOf(event, name);
      if (Array.isArray(inner)) return flat(inner).filter(isObject).some(nested);
      return nested(isObject(inner) ? inner : {});
    };
  }
  if (!Array.isArray(value)) throw new Error(`"${name}" must be an object or an array`);
  if (value.length === 0) throw new Error('Empty arrays are not allowed');
  const tests: Test[] = value.map(compileValue);
  return (event) => {
    const leaves = leavesOf(memberOf(event, name));
    return tests.some((test) => test(leaves));
  };
}

/** Only leaves can be matched: a field that holds an object is as good as absent. */
function leavesOf(value: unknown): Leaf[] {
  return flat([value]).filter(
    (leaf): leaf is Leaf => leaf !== undefined && (typeof leaf !== 'object' || leaf === null),
  );
}

function flat(values: readonly unknown[]): unknown[] {
  return values.flat(Number.POSITIVE_INFINITY);
}

function memberOf(event: unknown, name: string): unknown {
  return isObject(event) && Object.hasOwn(event, name) ? event[name] : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
