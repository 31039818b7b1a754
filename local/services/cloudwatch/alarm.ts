/** One alarm: its configuration, its state and how it came to it. */
import { randomUUID } from 'node:crypto';
import type { MetricAlarm, StateValue } from '@aws-sdk/client-cloudwatch';
import { arn } from '../../account.ts';
import type { AlarmConfiguration } from './alarm-configuration.ts';
import { type Datapoint, evaluationRange, judge } from './alarm-evaluation.ts';
import { type Reason, reasonFor } from './alarm-reason.ts';
import { seriesOf, valuesOf } from './metric-data.ts';
import { type MetricStore, MINUTE_MS } from './metric-store.ts';
import { statisticNamed } from './statistic.ts';

export interface AlarmState {
  readonly value: StateValue;
  readonly reason: string;
  /** JSON. */
  readonly reasonData?: string;
  /** Milliseconds. */
  readonly at: number;
}

export class Alarm {
  readonly name: string;
  readonly arn: string;
  /** Names the query of a single metric in events. */
  readonly queryId = randomUUID();
  tags: ReadonlyMap<string, string>;
  actionsEnabled: boolean;
  configuration: AlarmConfiguration;
  configuredAt: number;
  state: AlarmState;
  transitionedAt: number;

  constructor(configuration: AlarmConfiguration, now: number) {
    this.name = configuration.input.AlarmName!;
    this.arn = arn('cloudwatch', `alarm:${this.name}`);
    this.tags = new Map(configuration.input.Tags?.map(({ Key, Value }) => [Key!, Value!]));
    this.configuration = configuration;
    this.configuredAt = now;
    this.actionsEnabled = configuration.input.ActionsEnabled ?? true;
    this.state = { value: 'INSUFFICIENT_DATA', reason: 'Unchecked: Initial alarm creation', at: now };
    this.transitionedAt = now;
  }

  /** Overwrites the whole configuration; the state stays until the next evaluation says otherwise. */
  configure(configuration: AlarmConfiguration, now: number): void {
    this.configuration = configuration;
    this.configuredAt = now;
    this.actionsEnabled = configuration.input.ActionsEnabled ?? true;
  }

  /** What the state should be by what can be seen now; undefined when it should stay. */
  evaluate(store: MetricStore, now: number): { value: StateValue; reason: Reason } | undefined {
    const { rule, period, input, queries, watched } = this.configuration;
    const periodMs = period * 1000;
    // Periods end at the last full minute, whatever their length; those of high-resolution alarms at a multiple.
    const end = Math.floor(now / Math.min(periodMs, MINUTE_MS)) * Math.min(periodMs, MINUTE_MS);
    const range = evaluationRange(rule.evaluationPeriods, period);
    const starts = Array.from({ length: range }, (_, age) => end - (age + 1) * periodMs);
    const span = { start: starts.at(-1)!, end };
    const points = this.#points(store, span, periodMs);
    const judgement = judge(
      starts.map((start) => points.get(start)),
      rule,
    );
    if (judgement === undefined) return undefined;
    const statistic = input.Statistic ?? input.ExtendedStatistic ?? metricStatistic(queries, watched);
    const reason = reasonFor(judgement, rule, {
      at: now,
      ...(statistic && { statistic }),
      ...(input.Unit && { unit: input.Unit }),
      period,
      mOfN: input.DatapointsToAlarm !== undefined,
      periods: starts.slice(0, rule.evaluationPeriods),
    });
    return { value: judgement.state, reason };
  }

  describe(): MetricAlarm {
    const { Tags: _tags, ...configured } = this.configuration.input;
    const { state } = this;
    return {
      OKActions: [],
      AlarmActions: [],
      InsufficientDataActions: [],
      Dimensions: [],
      ...configured,
      AlarmArn: this.arn,
      AlarmConfigurationUpdatedTimestamp: new Date(this.configuredAt),
      ActionsEnabled: this.actionsEnabled,
      TreatMissingData: this.configuration.rule.treatMissingData,
      StateValue: state.value,
      StateReason: state.reason,
      ...(state.reasonData !== undefined && { StateReasonData: state.reasonData }),
      StateUpdatedTimestamp: new Date(state.at),
      StateTransitionedTimestamp: new Date(this.transitionedAt),
    };
  }

  #points(
    store: MetricStore,
    span: { start: number; end: number },
    periodMs: number,
  ): Map<number, Datapoint> {
    const { queries, watched } = this.configuration;
    const stat = queries.find((query) => query.Id === watched)?.MetricStat;
    const points = new Map<number, Datapoint>();
    if (stat === undefined) {
      const series = seriesOf(watched, valuesOf(queries, store, span)(watched));
      for (const [at, value] of series) points.set(at, { at, value });
      return points;
    }
    const selection = { metric: stat.Metric!, ...(stat.Unit && { unit: stat.Unit }) };
    const statistic = statisticNamed(stat.Stat!);
    for (const [at, values] of store.distributions(selection, { ...span, periodMs })) {
      points.set(at, { at, value: statistic(values), sampleCount: values.count });
    }
    return points;
  }
}

function metricStatistic(queries: AlarmConfiguration['queries'], watched: string): string | undefined {
  return queries.find((query) => query.Id === watched)?.MetricStat?.Stat;
}
