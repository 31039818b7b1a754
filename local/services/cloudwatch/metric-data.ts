/** Metric data queries, as GetMetricData and alarms have them: metrics by their statistic, and expressions over these. */
import type { MetricDataQuery, MetricStat } from '@aws-sdk/client-cloudwatch';
import { AwsError } from '../../call.ts';
import { type Expression, parseExpression } from './expression.ts';
import { evaluate, isSeries, type Value } from './metric-math.ts';
import type { MetricStore, Points } from './metric-store.ts';
import { statisticNamed } from './statistic.ts';

export interface Timespan {
  /** Milliseconds; the first period starts here. */
  readonly start: number;
  /** Excluded. */
  readonly end: number;
}

/** Seconds that a period may have: "10, 20, 30 or any multiple of 60" (1 and 5 for reading high-resolution metrics). */
export function checkPeriod(period: number | undefined, parameter = 'Period'): number {
  if (period !== undefined && period > 0 && ([1, 5, 10, 20, 30].includes(period) || period % 60 === 0))
    return period;
  throw new AwsError(
    'ValidationError',
    `The parameter ${parameter} must be 1, 5, 10, 20, 30, or a multiple of 60`,
  );
}

/** Refuses queries that could never be answered; says which. */
export function checkQueries(queries: readonly MetricDataQuery[]): void {
  const ids = new Set<string>();
  for (const query of queries) {
    const id = query.Id ?? '';
    if (!/^[a-z]\w*$/.test(id)) {
      throw new AwsError(
        'ValidationError',
        `The value '${id}' for parameter MetricDataQueries.member.Id is not matching the expected pattern ^[a-z][a-zA-Z0-9_]*$`,
      );
    }
    if (ids.has(id)) {
      throw new AwsError(
        'ValidationError',
        `The values for parameter id in MetricDataQueries are not unique: ${id}`,
      );
    }
    ids.add(id);
    if ((query.MetricStat === undefined) === (query.Expression === undefined)) {
      throw new AwsError(
        'ValidationError',
        `Exactly one of MetricStat and Expression must be given for ${id}`,
      );
    }
    if (query.MetricStat !== undefined) {
      statisticNamed(query.MetricStat.Stat ?? '');
      checkPeriod(query.MetricStat.Period);
    } else {
      parsed(query);
    }
  }
  // Names and operands show only when computed: on no values at all.
  const empty: Pick<MetricStore, 'points'> = { points: () => new Map() };
  const values = valuesOf(queries, empty, { start: 0, end: 0 });
  for (const query of queries) values(query.Id!);
}

/** Each query's value over a span of time, by its id; computed when it is asked for. */
export function valuesOf(
  queries: readonly MetricDataQuery[],
  store: Pick<MetricStore, 'points'>,
  span: Timespan,
): (id: string) => Value {
  const byId = new Map(queries.map((query) => [query.Id!, query]));
  const known = new Map<string, Value>();
  const underway = new Set<string>();

  function lookup(id: string): Value | undefined {
    const value = known.get(id);
    const query = byId.get(id);
    if (value !== undefined || query === undefined) return value;
    if (underway.has(id)) throw new Error(`Circular reference to '${id}'`);
    underway.add(id);
    const computed = query.MetricStat === undefined ? math(query) : metric(query.MetricStat);
    underway.delete(id);
    known.set(id, computed);
    return computed;
  }

  function metric(stat: MetricStat): Points {
    const window = { ...span, periodMs: stat.Period! * 1000 };
    const selection = { metric: stat.Metric!, ...(stat.Unit && { unit: stat.Unit }) };
    return store.points(selection, window, statisticNamed(stat.Stat!));
  }

  function math(query: MetricDataQuery): Value {
    const periodMs =
      1000 * (query.Period ?? Math.max(60, ...queries.map(({ MetricStat }) => MetricStat?.Period ?? 0)));
    const periods: number[] = [];
    for (let start = span.start; start < span.end; start += periodMs) periods.push(start);
    const expression = parsed(query);
    const value = explained(query, () => evaluate(expression, { lookup, periods }));
    if (typeof value !== 'number') return value;
    return new Map(Number.isFinite(value) ? periods.map((period) => [period, value]) : []);
  }

  return (id) => lookup(id)!;
}

/** The one series of a query that must not give several. */
export function seriesOf(id: string, value: Value): Points {
  if (typeof value !== 'number' && isSeries(value)) return value;
  throw new AwsError(
    'ValidationError',
    `Error in expression '${id}' [Expression must return a single time series]`,
  );
}

function parsed(query: MetricDataQuery): Expression {
  return explained(query, () => parseExpression(query.Expression!));
}

function explained<T>(query: MetricDataQuery, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof AwsError || !(error instanceof Error)) throw error;
    throw new AwsError('ValidationError', `Error in expression '${query.Id}' [${error.message}]`);
  }
}
