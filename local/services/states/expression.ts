/** JSONata expressions as Step Functions evaluates them: plain JSON in, plain JSON out, never for ever. */
import jsonata from 'jsonata';
import { bindFunctions, type FunctionSources } from './functions.ts';
import type { Json, JsonObject } from './json.ts';
import { boundedMatcher } from './regex.ts';

/** What an expression may read: `$states` and the variables. */
export interface Bindings {
  readonly states: { readonly [key: string]: Json };
  readonly variables: JsonObject;
}

/** An expression that failed; the text is JSONata's, with its code when it has one. */
export class EvaluationError extends Error {
  readonly coded: boolean;

  constructor(code: string | undefined, message: string) {
    super(code === undefined ? message : `${code}: ${message}`);
    this.coded = code !== undefined;
  }
}

/** The expression in `{% … %}`, or undefined for any other text. */
export function expressionIn(text: string): string | undefined {
  return text.startsWith('{%') && text.endsWith('%}') && text.length >= 4
    ? text.slice(2, -2).trim()
    : undefined;
}

/** Throws `EvaluationError` with the parser's words. */
export function parse(source: string): jsonata.ExprNode {
  return compile(source).ast();
}

/**
 * Nodes that one evaluation may visit. AWS bounds time, depth and memory; a count stops the same runaways at the same
 * point on every machine.
 */
const visitBudget = 250_000;
/** No expression can name this: a space ends a variable's name. */
const budgetName = ' budget';

export class Expressions {
  readonly #sources: FunctionSources;
  readonly #compiled = new Map<string, jsonata.Expression>();
  readonly #fromMillis = jsonata('$fromMillis(millis, picture, timezone)');

  constructor(sources: FunctionSources) {
    this.#sources = sources;
  }

  /** The value as plain JSON; undefined for nothing. Throws `EvaluationError`. */
  async evaluate(source: string, { states, variables }: Bindings): Promise<Json | undefined> {
    const expression = this.#expression(source);
    try {
      const value: unknown = await expression.evaluate(undefined, {
        ...variables,
        states,
        [budgetName]: { visits: 0 },
      });
      return plain(value);
    } catch (failure) {
      throw evaluationError(failure);
    }
  }

  #expression(source: string): jsonata.Expression {
    const known = this.#compiled.get(source);
    if (known !== undefined) return known;
    const expression = compile(source);
    bindFunctions(expression, this.#sources, (millis, picture, timezone) =>
      this.#fromMillis.evaluate({ millis, picture, timezone }),
    );
    assignHook(expression, Symbol.for('jsonata.__evaluate_entry'), spend);
    boundRegularExpressions(expression);
    this.#compiled.set(source, expression);
    return expression;
  }
}

function compile(source: string): jsonata.Expression {
  try {
    return jsonata(source);
  } catch (failure) {
    throw evaluationError(failure);
  }
}

/** JSONata looks its hooks up by symbol; its types know only names. */
function assignHook(expression: jsonata.Expression, hook: symbol, run: unknown): void {
  expression.assign(hook as unknown as string, run);
}

function spend(_node: jsonata.ExprNode, _input: unknown, environment: jsonata.Environment): void {
  const budget = environment.lookup(budgetName) as { visits: number } | undefined;
  if (budget === undefined) return;
  budget.visits += 1;
  if (budget.visits > visitBudget) throw new Error('Expression evaluation exceeded its limit of steps');
}

/** Each pattern becomes a variable bound to a matcher that can be interrupted. */
function boundRegularExpressions(expression: jsonata.Expression): void {
  let patterns = 0;
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) return node.forEach(visit);
    if (typeof node !== 'object' || node === null || node instanceof RegExp) return;
    const { type, value } = node as { type?: unknown; value?: unknown };
    if (type === 'regex' && value instanceof RegExp) {
      const name = ` pattern${patterns++}`;
      expression.assign(name, boundedMatcher(value));
      Object.assign(node, { type: 'variable', value: name });
      return;
    }
    Object.values(node).forEach(visit);
  };
  visit(expression.ast());
}

/** Sequences lose their marks and become arrays. A function is no value. */
function plain(value: unknown): Json | undefined {
  if (value === undefined) return undefined;
  const text = JSON.stringify(value, (_key, member: unknown) => {
    if (isFunction(member)) throw new Error('Attempted to return a function from an expression');
    // As AWS writes what JSON has no literal for.
    return typeof member === 'number' && !Number.isFinite(member) ? String(member) : member;
  });
  return JSON.parse(text) as Json;
}

function isFunction(value: unknown): boolean {
  if (typeof value === 'function') return true;
  return (
    typeof value === 'object' &&
    value !== null &&
    ('_jsonata_function' in value || '_jsonata_lambda' in value)
  );
}

/** JSONata throws plain objects with a code; functions throw errors. */
function evaluationError(failure: unknown): EvaluationError {
  if (failure instanceof EvaluationError) return failure;
  const { code, message } = failure as { code?: unknown; message?: unknown };
  const isJsonata = typeof code === 'string' && /^[A-Z]\d{4}$/.test(code);
  return new EvaluationError(
    isJsonata ? code : undefined,
    typeof message === 'string' ? message : String(failure),
  );
}
