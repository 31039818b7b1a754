/** Where the embedded services publish their metrics. */

export interface Observation {
  readonly namespace: string;
  readonly metric: string;
  readonly dimensions: Readonly<Record<string, string>>;
  readonly unit?: string;
  /** Milliseconds on the embedded AWS's clock: decides the 60 s bin. */
  readonly at: number;
  /** Single values; a count of n requests is one value n. */
  readonly values: readonly number[];
  /** How often each of the values came, as in PutMetricData; absent: once. */
  readonly counts?: readonly number[];
}

export interface MetricSink {
  record(observation: Observation): void;
}
