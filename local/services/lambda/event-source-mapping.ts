/** One mapping from a DynamoDB stream to a function: its settings, its state, a reader for each shard. */
import { randomUUID } from 'node:crypto';
import type {
  CreateEventSourceMappingCommandInput,
  EventSourceMappingConfiguration,
  UpdateEventSourceMappingCommandInput,
} from '@aws-sdk/client-lambda';
import { arn } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';
import type { MetricSink } from '../cloudwatch/metric-sink.ts';
import { type EventPattern, parseEventPattern } from '../events/event-pattern.ts';
import type { Destination } from './async-invocations.ts';
import { failedBatch } from './failed-batch.ts';
import { parseFunctionName } from './function-name.ts';
import type { Completed } from './invocations.ts';
import { type BatchSettings, ShardReader } from './shard-reader.ts';
import type { StreamSource } from './stream-source.ts';

export interface MappingDependencies {
  readonly clock: Clock;
  readonly source: StreamSource;
  readonly destination: Destination;
  readonly invoke: (functionArn: string, payload: string) => Promise<Completed>;
  readonly onFailure: (failure: unknown) => void;
  readonly pollingMs: number;
  readonly retryDelayMs: number;
  readonly metrics?: MetricSink | undefined;
}

type Settings = Pick<
  UpdateEventSourceMappingCommandInput,
  | 'BatchSize'
  | 'BisectBatchOnFunctionError'
  | 'DestinationConfig'
  | 'FilterCriteria'
  | 'FunctionResponseTypes'
  | 'MaximumBatchingWindowInSeconds'
  | 'MaximumRecordAgeInSeconds'
  | 'MaximumRetryAttempts'
  | 'ParallelizationFactor'
>;

const settingNames = [
  'BatchSize',
  'BisectBatchOnFunctionError',
  'DestinationConfig',
  'FilterCriteria',
  'FunctionResponseTypes',
  'MaximumBatchingWindowInSeconds',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'ParallelizationFactor',
] as const satisfies readonly (keyof Settings)[];

const defaults: Settings = {
  BatchSize: 100,
  BisectBatchOnFunctionError: false,
  DestinationConfig: { OnFailure: {} },
  FunctionResponseTypes: [],
  MaximumBatchingWindowInSeconds: 0,
  MaximumRecordAgeInSeconds: -1,
  MaximumRetryAttempts: -1,
  ParallelizationFactor: 1,
};

export class EventSourceMapping {
  readonly uuid = randomUUID();
  readonly streamArn: string;
  readonly tags: Map<string, string>;
  functionArn: string;
  enabled: boolean;
  readonly #options: MappingDependencies;
  readonly #startingPosition: 'TRIM_HORIZON' | 'LATEST';
  readonly #readers: ShardReader[];
  #settings: Settings;
  #batch: BatchSettings;
  #lastModified: Date;

  constructor(
    input: CreateEventSourceMappingCommandInput,
    functionArn: string,
    options: MappingDependencies,
  ) {
    const position = input.StartingPosition;
    if (position !== 'TRIM_HORIZON' && position !== 'LATEST') {
      throw invalid(
        `1 validation error detected: StartingPosition of a DynamoDB stream is TRIM_HORIZON or LATEST, not ${position}`,
      );
    }
    this.#options = options;
    this.#startingPosition = position;
    this.streamArn = input.EventSourceArn!;
    this.functionArn = functionArn;
    this.enabled = input.Enabled ?? true;
    this.tags = new Map(Object.entries(input.Tags ?? {}));
    this.#settings = merged(defaults, input);
    this.#batch = batchSettings(this.#settings);
    this.#lastModified = new Date(options.clock.now());
    const { source } = options;
    this.#readers = source.shards(this.streamArn)!.map(
      (shardId) =>
        new ShardReader({
          ...options,
          streamArn: this.streamArn,
          shardId,
          position: position === 'LATEST' ? source.newest(this.streamArn, shardId) : 0,
          settings: () => this.#batch,
          invoke: (payload) => options.invoke(this.functionArn, payload),
          aged: (ms) => this.#recordAge(ms),
          discard: async (discarded) => {
            const destination = this.onFailure;
            if (destination === undefined) return;
            const { clock } = options;
            await options.destination(
              destination,
              failedBatch(discarded, { clock, functionArn: this.functionArn, streamArn: this.streamArn }),
            );
          },
        }),
    );
    if (this.enabled) this.start();
  }

  /** https://docs.aws.amazon.com/lambda/latest/dg/monitoring-metrics-types.html#performance-metrics */
  #recordAge(ms: number): void {
    const { metrics, clock } = this.#options;
    metrics?.record({
      namespace: 'AWS/Lambda',
      metric: 'IteratorAge',
      dimensions: { FunctionName: parseFunctionName(this.functionArn).name },
      unit: 'Milliseconds',
      at: clock.now(),
      values: [ms],
    });
  }

  get onFailure(): string | undefined {
    return this.#settings.DestinationConfig?.OnFailure?.Destination;
  }

  update(input: UpdateEventSourceMappingCommandInput, functionArn: string | undefined): void {
    const settings = merged(this.#settings, input);
    this.#batch = batchSettings(settings);
    this.#settings = settings;
    this.functionArn = functionArn ?? this.functionArn;
    this.#lastModified = new Date(this.#options.clock.now());
    if (input.Enabled === undefined || input.Enabled === this.enabled) return;
    this.enabled = input.Enabled;
    if (this.enabled) this.start();
    else this.stop();
  }

  start(): void {
    for (const reader of this.#readers) reader.start();
  }

  stop(): void {
    for (const reader of this.#readers) reader.stop();
  }

  describe(state?: string): EventSourceMappingConfiguration {
    return {
      ...this.#settings,
      UUID: this.uuid,
      EventSourceArn: this.streamArn,
      EventSourceMappingArn: arn('lambda', `event-source-mapping:${this.uuid}`),
      FunctionArn: this.functionArn,
      StartingPosition: this.#startingPosition,
      State: state ?? (this.enabled ? 'Enabled' : 'Disabled'),
      StateTransitionReason: 'User action',
      LastModified: this.#lastModified,
      LastProcessingResult: 'No records processed',
      TumblingWindowInSeconds: 0,
    };
  }
}

function merged(base: Settings, input: Settings): Settings {
  const given = settingNames.filter((name) => input[name] !== undefined).map((name) => [name, input[name]]);
  return { ...base, ...(Object.fromEntries(given) as Settings) };
}

/** A stream's records are gone after a day, whatever the mapping allows. */
const streamRetentionMs = 24 * 3_600_000;

// https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-params.html
const limits = {
  BatchSize: [1, 10_000],
  MaximumBatchingWindowInSeconds: [0, 300],
  MaximumRecordAgeInSeconds: [-1, 604_800],
  MaximumRetryAttempts: [-1, 10_000],
} as const;

function batchSettings(settings: Settings): BatchSettings {
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value = settings[name as keyof typeof limits] ?? 0;
    if (value < least || value > most) {
      throw invalid(
        `1 validation error detected: Value '${value}' at '${name}' failed to satisfy constraint: Member must be between ${least} and ${most}`,
      );
    }
  }
  const age = settings.MaximumRecordAgeInSeconds ?? -1;
  if (age !== -1 && age < 60) throw invalid('MaximumRecordAgeInSeconds must be -1 or at least 60.');
  if ((settings.ParallelizationFactor ?? 1) !== 1) {
    throw invalid(
      'The embedded Lambda reads each shard with one invocation at a time: ParallelizationFactor must be 1.',
    );
  }
  const window = settings.MaximumBatchingWindowInSeconds ?? 0;
  const patterns = (settings.FilterCriteria?.Filters ?? []).map(({ Pattern }) => filterFrom(Pattern ?? '{}'));
  const infinite = (value: number | undefined) => (value === undefined || value === -1 ? Infinity : value);
  return {
    batchSize: settings.BatchSize ?? 100,
    windowMs: window * 1000,
    maximumRetryAttempts: infinite(settings.MaximumRetryAttempts),
    maximumRecordAgeMs: Math.min(streamRetentionMs, infinite(settings.MaximumRecordAgeInSeconds) * 1000),
    bisect: settings.BisectBatchOnFunctionError ?? false,
    reportItemFailures: settings.FunctionResponseTypes?.includes('ReportBatchItemFailures') ?? false,
    passes: (record) => patterns.length === 0 || patterns.some((matches) => matches(record)),
  };
}

/** Filters are event patterns, and `{}` lets everything pass. */
function filterFrom(pattern: string): EventPattern {
  if (/^\s*\{\s*\}\s*$/.test(pattern)) return () => true;
  try {
    return parseEventPattern(pattern);
  } catch (error) {
    throw invalid(`Invalid filter pattern definition. (${(error as Error).message})`);
  }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}
