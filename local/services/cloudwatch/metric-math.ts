/**
 * Metric math over time series ("Using math expressions", CloudWatch user guide). A period has a value only where every
 * series of an operation has one; dividing by zero gives none.
 */
import type { BinaryOperator, Expression } from './expression.ts';
import type { Points } from './metric-store.ts';

/** A number, a time series, or several time series. */
export type Value = number | Points | readonly Points[];

export interface Scope {
  /** The value of another query, by its id; undefined when there is none. */
  readonly lookup: (name: string) => Value | undefined;
  /** The start of each period of the window, rising. */
  readonly periods: readonly number[];
}

/** Throws an Error that names what cannot be computed. */
export function evaluate(expression: Expression, scope: Scope): Value {
  switch (expression.kind) {
    case 'number':
      return expression.value;
    case 'name': {
      const value = scope.lookup(expression.name);
      if (value === undefined) throw new Error(`Undeclared name '${expression.name}'`);
      return value;
    }
    case 'list':
      return expression.items.map((item) => seriesOf(evaluate(item, scope), 'a list'));
    case 'negation':
      return combine(0, evaluate(expression.operand, scope), (left, right) => left - right);
    case 'operation': {
      const apply = operators[expression.operator];
      return combine(evaluate(expression.left, scope), evaluate(expression.right, scope), apply);
    }
    case 'call':
      return call(expression.name, expression.operands, scope);
  }
}

const operators: Readonly<Record<BinaryOperator, (left: number, right: number) => number>> = {
  '+': (left, right) => left + right,
  '-': (left, right) => left - right,
  '*': (left, right) => left * right,
  '/': (left, right) => left / right,
  '^': (left, right) => left ** right,
  '<': (left, right) => Number(left < right),
  '<=': (left, right) => Number(left <= right),
  '>': (left, right) => Number(left > right),
  '>=': (left, right) => Number(left >= right),
  '==': (left, right) => Number(left === right),
  '!=': (left, right) => Number(left !== right),
  '&&': (left, right) => Number(left !== 0 && right !== 0),
  '||': (left, right) => Number(left !== 0 || right !== 0),
};

const aggregates: Readonly<Record<string, (values: readonly number[]) => number>> = {
  SUM: (values) => values.reduce((sum, value) => sum + value, 0),
  AVG: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  MIN: (values) => Math.min(...values),
  MAX: (values) => Math.max(...values),
};

function call(name: string, operands: readonly Expression[], scope: Scope): Value {
  const aggregate = aggregates[name];
  if (aggregate !== undefined) {
    const [operand] = arity(name, operands, 1, 1);
    return aggregated(evaluate(operand!, scope), aggregate);
  }
  if (name === 'FILL') return fill(arity(name, operands, 2, 2), scope);
  if (name === 'IF') return conditional(arity(name, operands, 2, 3), scope);
  throw new Error(`Unsupported function '${name}'`);
}

function arity(name: string, operands: readonly Expression[], least: number, most: number) {
  if (operands.length >= least && operands.length <= most) return operands;
  throw new Error(`Wrong number of operands for '${name}': ${operands.length}`);
}

/** Of one series: a number over its whole time. Of several: a series over those that have a value in a period. */
function aggregated(value: Value, aggregate: (values: readonly number[]) => number): Value {
  if (typeof value === 'number') return value;
  if (isSeries(value)) return aggregate([...value.values()]);
  const periods = [...new Set(value.flatMap((points) => [...points.keys()]))].sort((a, b) => a - b);
  return new Map(
    periods.map((period) => {
      const present = value.map((points) => points.get(period)).filter((point) => point !== undefined);
      return [period, aggregate(present)];
    }),
  );
}

function fill(operands: readonly Expression[], scope: Scope): Value {
  const value = evaluate(operands[0]!, scope);
  if (typeof value === 'number') return value;
  const filled = (points: Points) => {
    const filling = fillingOf(operands[1]!, points, scope);
    return pointsOf(scope.periods, (period) => points.get(period) ?? filling(period));
  };
  return isSeries(value) ? filled(value) : value.map(filled);
}

function fillingOf(
  operand: Expression,
  points: Points,
  scope: Scope,
): (period: number) => number | undefined {
  const word = operand.kind === 'name' ? operand.name.toUpperCase() : '';
  const known = [...points];
  if (word === 'REPEAT') return (period) => known.findLast(([at]) => at < period)?.[1];
  if (word === 'LINEAR') {
    return (period) => {
      const before = known.findLast(([at]) => at < period);
      const after = known.find(([at]) => at > period);
      if (before === undefined || after === undefined) return undefined;
      return before[1] + ((after[1] - before[1]) * (period - before[0])) / (after[0] - before[0]);
    };
  }
  const value = evaluate(operand, scope);
  if (typeof value === 'number') return () => value;
  const series = seriesOf(value, 'FILL');
  return (period) => series.get(period);
}

function conditional(operands: readonly Expression[], scope: Scope): Value {
  const [condition, then, otherwise] = operands.map((operand) => evaluate(operand, scope));
  const isScalar = [condition, then, otherwise].every(
    (value) => value === undefined || typeof value === 'number',
  );
  const at = (value: Value | undefined, period: number) =>
    value === undefined || typeof value === 'number' ? value : seriesOf(value, 'IF').get(period);
  if (isScalar && otherwise !== undefined) return condition === 0 ? otherwise : then!;
  return pointsOf(scope.periods, (period) => {
    const test = at(condition, period);
    if (test === undefined) return undefined;
    return at(test === 0 ? otherwise : then, period);
  });
}

function combine(left: Value, right: Value, apply: (left: number, right: number) => number): Value {
  if (typeof left === 'number' && typeof right === 'number') return apply(left, right);
  if (typeof left !== 'number' && !isSeries(left))
    return left.map((points) => single(combine(points, right, apply)));
  if (typeof right !== 'number' && !isSeries(right)) {
    return right.map((points) => single(combine(left, points, apply)));
  }
  const periods = typeof left === 'number' ? seriesOf(right, 'an operation').keys() : left.keys();
  const at = (value: number | Points, period: number) =>
    typeof value === 'number' ? value : value.get(period);
  return pointsOf(periods, (period) => {
    const [a, b] = [at(left, period), at(right, period)];
    return a === undefined || b === undefined ? undefined : apply(a, b);
  });
}

function single(value: Value): Points {
  return seriesOf(value, 'an operation between two lists');
}

function seriesOf(value: Value, where: string): Points {
  if (typeof value !== 'number' && isSeries(value)) return value;
  throw new Error(`Unsupported operand of ${where}: a time series is needed`);
}

export function isSeries(value: Points | readonly Points[]): value is Points {
  return !Array.isArray(value);
}

function pointsOf(periods: Iterable<number>, at: (period: number) => number | undefined): Points {
  const points = new Map<number, number>();
  for (const period of periods) {
    const value = at(period);
    if (value !== undefined && Number.isFinite(value)) points.set(period, value);
  }
  return points;
}
