/**
 * What an event pattern says of one value: exact, or an operator such as `{"prefix": "web-"}` ("Comparison operators",
 * EventBridge user guide). Compiling throws an Error in the words with which AWS refuses a pattern.
 */
import { BlockList, isIP } from 'node:net';

/** A leaf of an event. */
export type Leaf = string | number | boolean | null;

/** Told all values that an event has at a place: none when the field is absent. */
export type Test = (leaves: readonly Leaf[]) => boolean;

type LeafTest = (leaf: Leaf) => boolean;

export function compileValue(value: unknown): Test {
  if (typeof value !== 'object' || value === null) return any((leaf) => leaf === value);
  if (Array.isArray(value)) throw new Error('Arrays are not allowed inside match values');
  const [operator, ...more] = Object.keys(value);
  if (operator === undefined) throw new Error('Empty objects are not allowed');
  if (more.length > 0) throw new Error('Only one key allowed in match expression');
  const operand = (value as Record<string, unknown>)[operator];
  if (operator === 'exists') return exists(operand);
  const compile = operators[operator];
  if (compile === undefined) throw new Error(`Unrecognized match type ${operator}`);
  return any(compile(operand));
}

/** Of an array in the event one element is enough. */
function any(test: LeafTest): Test {
  return (leaves) => leaves.some(test);
}

function exists(operand: unknown): Test {
  if (typeof operand !== 'boolean') throw new Error('exists match pattern must be either true or false.');
  return (leaves) => leaves.length > 0 === operand;
}

const operators: Readonly<Record<string, (operand: unknown) => LeafTest>> = {
  prefix: (operand) => edge('prefix', operand, (text, part) => text.startsWith(part)),
  suffix: (operand) => edge('suffix', operand, (text, part) => text.endsWith(part)),
  'equals-ignore-case': (operand) => {
    const wanted = text('equals-ignore-case', operand).toLowerCase();
    return strings((leaf) => leaf.toLowerCase() === wanted);
  },
  wildcard: (operand) => wildcard(text('wildcard', operand)),
  numeric,
  cidr,
  'anything-but': anythingBut,
};

function edge(
  operator: string,
  operand: unknown,
  matches: (text: string, part: string) => boolean,
): LeafTest {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const part = text(operator, (operand as Record<string, unknown>)['equals-ignore-case']).toLowerCase();
    return strings((leaf) => matches(leaf.toLowerCase(), part));
  }
  const part = text(operator, operand);
  return strings((leaf) => matches(leaf, part));
}

/** `*` stands for any run of characters, `\*` and `\\` for themselves. */
function wildcard(pattern: string): LeafTest {
  let source = '';
  for (let at = 0; at < pattern.length; at += 1) {
    const character = pattern[at]!;
    if (character === '\\') {
      const escaped = pattern[at + 1];
      if (escaped !== '*' && escaped !== '\\') throw new Error(`Invalid escape character at pos ${at + 1}`);
      source += `\\${escaped}`;
      at += 1;
    } else if (character === '*') {
      if (pattern[at + 1] === '*') throw new Error(`Consecutive wildcard characters at pos ${at}`);
      source += '.*';
    } else {
      source += character.replace(/[.+?^${}()|[\]/]/, '\\$&');
    }
  }
  const expression = new RegExp(`^${source}$`, 's');
  return strings((leaf) => expression.test(leaf));
}

const comparisons: Readonly<Record<string, (value: number, limit: number) => boolean>> = {
  '=': (value, limit) => value === limit,
  '<': (value, limit) => value < limit,
  '<=': (value, limit) => value <= limit,
  '>': (value, limit) => value > limit,
  '>=': (value, limit) => value >= limit,
};

/** `["=", 5]`, `["<", 10]` or a range, its lower end first: `[">", 0, "<=", 5]`. */
function numeric(operand: unknown): LeafTest {
  if (!Array.isArray(operand)) throw new Error('Value of numeric must be an array.');
  const list: readonly unknown[] = operand;
  if (list.length !== 2 && list.length !== 4)
    throw new Error('Invalid member in numeric match: wrong number of members');
  const limits = list.filter((_, index) => index % 2 === 1).map(limitOf);
  const symbols = list.filter((_, index) => index % 2 === 0).map(String);
  const tests = symbols.map((symbol, index) => {
    const compare = comparisons[symbol];
    if (compare === undefined) throw new Error(`Unrecognized numeric range operator: ${symbol}`);
    return (value: number) => compare(value, limits[index]!);
  });
  if (list.length === 4) {
    const isRange = symbols[0]!.startsWith('>') && symbols[1]!.startsWith('<');
    if (!isRange) throw new Error(`Bad numeric range operator: ${symbols.join(' ')}`);
    if (limits[0]! >= limits[1]!) throw new Error('Bottom must be less than top');
  }
  return (leaf) => typeof leaf === 'number' && tests.every((test) => test(leaf));
}

function limitOf(value: unknown): number {
  if (typeof value !== 'number') throw new Error('Value of numeric range must be numeric');
  return value;
}

function cidr(operand: unknown): LeafTest {
  const [address = '', bits] = text('cidr', operand).split('/');
  const version = isIP(address);
  const size = version === 6 ? 128 : 32;
  const prefix = bits === undefined ? size : Number(bits);
  if (version === 0 || !Number.isInteger(prefix) || prefix < 0 || prefix > size) {
    throw new Error(`Malformed CIDR, one '/' required: ${String(operand)}`);
  }
  const range = new BlockList();
  range.addSubnet(address, prefix, version === 6 ? 'ipv6' : 'ipv4');
  return strings((leaf) => isIP(leaf) === version && range.check(leaf, version === 6 ? 'ipv6' : 'ipv4'));
}

/** A value, a list of strings or of numbers, or one of the text operators with a text or a list of texts. */
function anythingBut(operand: unknown): LeafTest {
  if (typeof operand === 'object' && operand !== null && !Array.isArray(operand)) {
    const [operator, ...more] = Object.keys(operand);
    if (operator === undefined || more.length > 0)
      throw new Error('Only one key allowed in anything-but expression');
    const compile = ['prefix', 'suffix', 'equals-ignore-case', 'wildcard'].includes(operator)
      ? operators[operator]
      : undefined;
    if (compile === undefined) throw new Error(`Unsupported anything-but pattern: ${operator}`);
    const tests = listOf((operand as Record<string, unknown>)[operator]).map(compile);
    return (leaf) => !tests.some((test) => test(leaf));
  }
  const values = listOf(operand);
  const types = new Set(values.map((value) => typeof value));
  if (types.size !== 1 || values.some((value) => typeof value === 'object')) {
    throw new Error(
      'Inside anything but list, either all values are number or string, mixed type is not supported',
    );
  }
  return (leaf) => !values.includes(leaf);
}

function listOf(operand: unknown): readonly unknown[] {
  if (!Array.isArray(operand)) return [operand];
  if (operand.length === 0) throw new Error('Empty arrays are not allowed');
  return operand;
}

function text(operator: string, operand: unknown): string {
  if (typeof operand === 'string' && (operand !== '' || operator === 'equals-ignore-case')) return operand;
  throw new Error(`${operator} match pattern must be a non-empty string`);
}

function strings(test: (leaf: string) => boolean): LeafTest {
  return (leaf) => typeof leaf === 'string' && test(leaf);
}
