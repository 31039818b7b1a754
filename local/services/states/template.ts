/** Fields of a state with their expressions evaluated, each failure naming the field as AWS does: `Output/steps[0]/weight`. */
import { type Bindings, EvaluationError, type Expressions, expressionIn } from './expression.ts';
import { queryEvaluationError, StateFailure } from './failure.ts';
import { type Json, type JsonObject, typeOf } from './json.ts';

export class Fields {
  readonly #expressions: Expressions;
  readonly #bindings: Bindings;

  constructor(expressions: Expressions, bindings: Bindings) {
    this.#expressions = expressions;
    this.#bindings = bindings;
  }

  /** Any JSON value with expressions in its strings. */
  async template(template: Json, field: string): Promise<Json> {
    if (typeof template === 'string') return this.#text(template, field);
    if (Array.isArray(template)) {
      const items: Json[] = [];
      for (const [index, item] of template.entries())
        items.push(await this.template(item, `${field}[${index}]`));
      return items;
    }
    if (typeof template === 'object' && template !== null) {
      const members: [string, Json][] = [];
      for (const [key, member] of Object.entries(template)) {
        members.push([key, await this.template(member, `${field}/${key}`)]);
      }
      return Object.fromEntries(members);
    }
    return template;
  }

  async assignments(assign: JsonObject | undefined, field: string): Promise<JsonObject> {
    return assign === undefined ? {} : ((await this.template(assign, field)) as JsonObject);
  }

  async boolean(template: Json, field: string): Promise<boolean> {
    const value = await this.template(template, field);
    if (typeof value !== 'boolean') throw unexpected(template, field, 'boolean', value);
    return value;
  }

  async string(template: Json, field: string): Promise<string> {
    const value = await this.template(template, field);
    if (typeof value !== 'string') throw unexpected(template, field, 'string', value);
    return value;
  }

  async array(template: Json, field: string): Promise<readonly Json[]> {
    const value = await this.template(template, field);
    if (!Array.isArray(value)) throw unexpected(template, field, 'array', value);
    return value as readonly Json[];
  }

  /** Whole seconds within what AWS allows for waits and time-outs. */
  async seconds(template: Json, field: string, least: 0 | 1): Promise<number> {
    const value = await this.template(template, field);
    if (typeof value !== 'number') throw unexpected(template, field, 'number', value);
    if (Number.isInteger(value) && value >= least && value <= longestSeconds) return value;
    const allowed = `an integer between ${least} and ${longestSeconds}`;
    throw queryEvaluationError(
      `${said(template, field)} returned a value that is not ${allowed}: ${value}`,
      field,
    );
  }

  async #text(text: string, field: string): Promise<Json> {
    const source = expressionIn(text);
    if (source === undefined) return text;
    const value = await this.#expressions.evaluate(source, this.#bindings).catch((failure: unknown) => {
      throw failure instanceof EvaluationError ? failed(text, field, failure) : failure;
    });
    if (value === undefined)
      throw queryEvaluationError(`${said(text, field)} returned nothing (undefined).`, field);
    return value;
  }
}

/** https://docs.aws.amazon.com/step-functions/latest/dg/state-wait.html */
const longestSeconds = 99_999_999;

function said(template: Json, field: string): string {
  const expression = typeof template === 'string' ? expressionIn(template) : undefined;
  if (expression === undefined) return `The value specified for the field '${field}'`;
  return `The JSONata expression '${expression}' specified for the field '${field}'`;
}

function failed(text: string, field: string, failure: EvaluationError): StateFailure {
  const separator = failure.coded ? '. ' : ': ';
  return queryEvaluationError(
    `${said(text, field)} threw an error during evaluation${separator}${failure.message}`,
    field,
  );
}

function unexpected(template: Json, field: string, expected: string, value: Json): StateFailure {
  const was = `Expected '${expected}', but was '${typeOf(value)}' for value: ${JSON.stringify(value)}`;
  return queryEvaluationError(`${said(template, field)} returned an unexpected result type. ${was}`, field);
}
