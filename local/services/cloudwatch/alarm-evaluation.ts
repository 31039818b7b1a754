/**
 * What an alarm's datapoints say ("Configuring how CloudWatch alarms treat missing data", user guide). Pure: the most
 * recent real datapoints are looked at first, further back than the evaluation periods if some are missing; what is still
 * missing is then treated as the alarm says.
 */
import type { ComparisonOperator, StateValue } from '@aws-sdk/client-cloudwatch';

export type TreatMissingData = 'missing' | 'ignore' | 'breaching' | 'notBreaching';

export interface Rule {
  readonly threshold: number;
  readonly comparison: ComparisonOperator;
  readonly evaluationPeriods: number;
  readonly datapointsToAlarm: number;
  readonly treatMissingData: TreatMissingData;
}

export interface Datapoint {
  /** Milliseconds: the start of its period. */
  readonly at: number;
  readonly value: number;
  readonly sampleCount?: number;
}

export interface Judgement {
  readonly state: StateValue;
  /** The real datapoints that were counted, newest first. */
  readonly counted: readonly Datapoint[];
  /** How many missing ones were made up. */
  readonly filled: number;
}

/**
 * How many periods an alarm looks at. AWS publishes no formula: 5 for 3 periods of five minutes (user guide), and alarms
 * on one-minute metrics were seen to judge datapoints that were five minutes old.
 */
export function evaluationRange(evaluationPeriods: number, periodSeconds: number): number {
  return evaluationPeriods + Math.max(2, Math.ceil(300 / periodSeconds));
}

/** `recent`: one entry for each period of the evaluation range, newest first; undefined retains the present state. */
export function judge(recent: readonly (Datapoint | undefined)[], rule: Rule): Judgement | undefined {
  const counted = recent.filter((point) => point !== undefined).slice(0, rule.evaluationPeriods);
  const filled = rule.evaluationPeriods - counted.length;
  const breaching = counted.filter((point) => isBreaching(point.value, rule)).length;
  const as = (state: StateValue): Judgement => ({ state, counted, filled });
  const made = rule.treatMissingData === 'breaching' ? filled : 0;
  if (breaching + made >= rule.datapointsToAlarm) return as('ALARM');
  const retains = rule.treatMissingData === 'missing' || rule.treatMissingData === 'ignore';
  if (filled === 0 || !retains || breaching < counted.length) return as('OK');
  if (rule.treatMissingData === 'ignore') return undefined;
  if (counted.length === 0) return as('INSUFFICIENT_DATA');
  return isPremature(recent, rule) ? as('ALARM') : undefined;
}

/**
 * All real datapoints breach but they are too few. An alarm goes off when the oldest of them within the evaluation periods
 * is at least as old as the datapoints to alarm: nothing has contradicted it for so long.
 */
function isPremature(recent: readonly (Datapoint | undefined)[], rule: Rule): boolean {
  const oldest = recent.slice(0, rule.evaluationPeriods).findLastIndex((point) => point !== undefined);
  return oldest + 1 >= rule.datapointsToAlarm;
}

export function isBreaching(value: number, rule: Pick<Rule, 'comparison' | 'threshold'>): boolean {
  switch (rule.comparison) {
    case 'GreaterThanThreshold':
      return value > rule.threshold;
    case 'GreaterThanOrEqualToThreshold':
      return value >= rule.threshold;
    case 'LessThanThreshold':
      return value < rule.threshold;
    case 'LessThanOrEqualToThreshold':
      return value <= rule.threshold;
    case 'GreaterThanUpperThreshold':
    case 'LessThanLowerOrGreaterThanUpperThreshold':
    case 'LessThanLowerThreshold':
      throw new Error(`${rule.comparison} compares with an anomaly detection band, which is not modelled`);
  }
}
