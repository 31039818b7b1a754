/** An alarm's state in CloudWatch's words, and as the JSON beside them. */
import type { Datapoint, Judgement, Rule } from './alarm-evaluation.ts';
import { isBreaching } from './alarm-evaluation.ts';

export interface Query {
  readonly at: number;
  /** Absent for alarms on expressions. */
  readonly statistic?: string;
  readonly unit?: string;
  readonly period: number;
  /** Whether the alarm names its datapoints to alarm: the words differ. */
  readonly mOfN: boolean;
  /** The starts of the most recent periods, newest first, for datapoints that are unknown. */
  readonly periods: readonly number[];
}

export interface Reason {
  readonly text: string;
  readonly data: string;
}

const comparisons: Readonly<Record<string, string>> = {
  GreaterThanThreshold: 'greater than',
  GreaterThanOrEqualToThreshold: 'greater than or equal to',
  LessThanThreshold: 'less than',
  LessThanOrEqualToThreshold: 'less than or equal to',
};

export function reasonFor(judgement: Judgement, rule: Rule, query: Query): Reason {
  return { text: words(judgement, rule, query), data: json(judgement, rule, query) };
}

function words(judgement: Judgement, rule: Rule, query: Query): string {
  const { counted, filled, state } = judgement;
  if (state === 'INSUFFICIENT_DATA')
    return `Insufficient Data: ${datapoints(filled)} ${were(filled)} unknown.`;
  const isAlarm = state === 'ALARM';
  const treated = rule.treatMissingData === 'breaching' ? 'Breaching' : 'NonBreaching';
  const missing = `${filled} missing ${plural(filled, 'datapoint')} ${were(filled)} treated as [${treated}]`;
  const fillIsTold =
    filled > 0 && (rule.treatMissingData === 'breaching' || rule.treatMissingData === 'notBreaching');
  if (counted.length === 0) {
    const periods = `${rule.evaluationPeriods} ${plural(rule.evaluationPeriods, 'period')}`;
    return `Threshold Crossed: no datapoints were received for ${periods} and ${missing}.`;
  }
  const told = tellingPoints(judgement, rule);
  const count = query.mOfN
    ? `${told.length} out of the last ${rule.evaluationPeriods} datapoints`
    : datapoints(told.length);
  const values = told.map((point) => `${double(point.value)} (${shortTime(point.at)})`).join(', ');
  const compared = `${were(told.length)} ${isAlarm ? '' : 'not '}${comparisons[rule.comparison]} the threshold`;
  const minimum = minimumFor(judgement, rule);
  const direction = isAlarm ? 'OK -> ALARM' : 'ALARM -> OK';
  const needed = query.mOfN ? ` (minimum ${datapoints(minimum)} for ${direction} transition)` : '';
  const rest = fillIsTold ? ` and ${missing}` : '';
  return `Threshold Crossed: ${count} [${values}] ${compared} (${double(rule.threshold)})${needed}${rest}.`;
}

/** The points that agree with the state; a state that only filling explains tells them all. */
function tellingPoints({ counted, state }: Judgement, rule: Rule): readonly Datapoint[] {
  const agreeing = counted.filter((point) => isBreaching(point.value, rule) === (state === 'ALARM'));
  return agreeing.length > 0 ? agreeing : counted;
}

function minimumFor({ state }: Judgement, rule: Rule): number {
  return state === 'ALARM' ? rule.datapointsToAlarm : rule.evaluationPeriods - rule.datapointsToAlarm + 1;
}

/** Written by hand: AWS prints doubles with at least one decimal. */
function json(judgement: Judgement, rule: Rule, query: Query): string {
  const { counted, state } = judgement;
  const oldestFirst = counted.toReversed();
  const evaluated =
    state === 'INSUFFICIENT_DATA'
      ? query.periods.map((at) => `{"timestamp":"${isoTime(at)}"}`)
      : tellingPoints(judgement, rule).slice(0, minimumFor(judgement, rule)).map(evaluatedPoint);
  const members = [
    '"version":"1.0"',
    `"queryDate":"${isoTime(query.at)}"`,
    oldestFirst[0] && `"startDate":"${isoTime(oldestFirst[0].at)}"`,
    query.unit && `"unit":${JSON.stringify(query.unit)}`,
    query.statistic && `"statistic":${JSON.stringify(query.statistic)}`,
    `"period":${query.period}`,
    `"recentDatapoints":[${oldestFirst.map((point) => double(point.value)).join(',')}]`,
    `"threshold":${double(rule.threshold)}`,
    evaluated.length > 0 && `"evaluatedDatapoints":[${evaluated.join(',')}]`,
  ];
  return `{${members.filter(Boolean).join(',')}}`;
}

function evaluatedPoint(point: Datapoint): string {
  const samples = point.sampleCount === undefined ? '' : `"sampleCount":${double(point.sampleCount)},`;
  return `{"timestamp":"${isoTime(point.at)}",${samples}"value":${double(point.value)}}`;
}

/** A double as Java prints it for everyday magnitudes: `10.0`, `0.0666851903306472`. */
function double(value: number): string {
  return Number.isInteger(value) && Math.abs(value) < 1e21 ? `${value}.0` : String(value);
}

/** `2019-10-02T17:04:40.985+0000`, as CloudWatch writes times in events and reasons. */
export function isoTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '+0000');
}

/** `20/11/26 05:04:00` */
function shortTime(at: number): string {
  const [date, time] = new Date(at).toISOString().split('T');
  const [year, month, day] = date!.split('-');
  return `${day}/${month}/${year!.slice(2)} ${time!.slice(0, 8)}`;
}

function datapoints(count: number): string {
  return `${count} ${plural(count, 'datapoint')}`;
}

function plural(count: number, noun: string): string {
  return count === 1 ? noun : `${noun}s`;
}

function were(count: number): string {
  return count === 1 ? 'was' : 'were';
}
