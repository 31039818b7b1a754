/**
 * Delivers one shard of a stream to a function: in order, one batch at a time; a batch that fails holds the shard until
 * it succeeds or is discarded.
 * https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html, …/services-dynamodb-errors.html, …/services-ddb-batchfailurereporting.html
 */
import { AwsError } from '../../call.ts';
import type { Clock, Timer } from '../../clock.ts';
import type { Completed } from './invocations.ts';
import type { ShardRecord, StreamSource } from './stream-source.ts';

export interface BatchSettings {
  readonly batchSize: number;
  readonly windowMs: number;
  /** Infinity: until the records expire. */
  readonly maximumRetryAttempts: number;
  readonly maximumRecordAgeMs: number;
  readonly bisect: boolean;
  readonly reportItemFailures: boolean;
  /** Whether a record passes the filter; what does not is skipped. */
  readonly passes: (record: unknown) => boolean;
}

export interface Discarded {
  readonly shardId: string;
  readonly records: readonly ShardRecord[];
  readonly condition: 'RetryAttemptsExhausted' | 'RecordAgeExceeded';
  readonly invocations: number;
  readonly completed: Completed | undefined;
}

export interface ShardReaderOptions {
  readonly clock: Clock;
  readonly source: StreamSource;
  readonly streamArn: string;
  readonly shardId: string;
  /** Where to begin: after this record. */
  readonly position: number;
  /** From a record's appearance to the start of its batch. */
  readonly pollingMs: number;
  /** Before the first retry; doubled for each further one. AWS publishes no numbers. */
  readonly retryDelayMs: number;
  readonly settings: () => BatchSettings;
  readonly invoke: (payload: string) => Promise<Completed>;
  readonly discard: (discarded: Discarded) => Promise<void>;
  /** Told how old the last record of a batch is when the batch is sent, in milliseconds. */
  readonly aged: (ms: number) => void;
  readonly onFailure: (failure: unknown) => void;
}

const maxRetryDelayMs = 60_000;

/** How one attempt ended: everything, everything before a record, or nothing; or the function could not be invoked. */
type Attempt =
  | { readonly kind: 'done' }
  | { readonly kind: 'failed'; readonly from: number; readonly completed: Completed }
  | { readonly kind: 'refused' };

export class ShardReader {
  readonly #options: ShardReaderOptions;
  #position: number;
  #stopped = true;
  /** Rises with each start, so that a loop that was stopped while it waited does not go on beside its successor. */
  #run = 0;
  #awake = false;
  #timer: { timer: Timer; resolve: () => void } | undefined;
  #unsubscribe: (() => void) | undefined;

  constructor(options: ShardReaderOptions) {
    this.#options = options;
    this.#position = options.position;
  }

  start(): void {
    const { source, streamArn, shardId } = this.#options;
    this.#stopped = false;
    this.#run += 1;
    this.#awake = false;
    this.#unsubscribe = source.subscribe(streamArn, shardId, () => this.#wake());
    this.#wake();
  }

  /** Reads no further; an invocation that runs goes on, and its batch is read again after a new start. */
  stop(): void {
    this.#stopped = true;
    this.#unsubscribe?.();
    this.#timer?.timer.cancel();
    this.#timer?.resolve();
  }

  #wake(): void {
    if (this.#awake || this.#stopped || this.#read(1).length === 0) return;
    this.#awake = true;
    const run = this.#run;
    void this.#drain(run)
      .catch(this.#options.onFailure)
      .finally(() => {
        if (run !== this.#run) return;
        this.#awake = false;
        this.#wake();
      });
  }

  async #drain(run: number): Promise<void> {
    const { clock, pollingMs } = this.#options;
    const goesOn = () => !this.#stopped && run === this.#run;
    await this.#wait(pollingMs);
    while (goesOn()) {
      const { batchSize, windowMs, passes } = this.#options.settings();
      const first = this.#read(1)[0];
      if (first === undefined) return;
      const windowEnd = first.at + windowMs;
      if (windowMs > 0 && this.#read(batchSize).length < batchSize && windowEnd > clock.now()) {
        await this.#wait(windowEnd - clock.now());
        if (!goesOn()) return;
      }
      const batch = this.#read(batchSize);
      await this.#deliver(
        batch.filter(({ record }) => passes(record)),
        goesOn,
      );
      if (goesOn()) this.#position = batch.at(-1)!.position;
    }
  }

  /** Delivers a batch, in parts if it fails, until each record has been taken or discarded. */
  async #deliver(batch: readonly ShardRecord[], goesOn: () => boolean): Promise<void> {
    const parts = [batch];
    let failures = 0;
    let refusals = 0;
    let invocations = 0;
    while (goesOn()) {
      const part = await this.#withoutExpired(parts.shift(), invocations);
      if (part === undefined) return;
      if (part.length === 0) continue;
      const attempt = await this.#attempt(part);
      if (attempt.kind === 'done') {
        failures = refusals = invocations = 0;
        this.#advance(part.at(-1)!);
        continue;
      }
      if (attempt.kind === 'refused') {
        // Not the records' fault: no attempt is counted, only their age ends this.
        parts.unshift(part);
        await this.#backOff(refusals++);
        continue;
      }
      invocations += 1;
      const rest = part.slice(attempt.from);
      if (attempt.from > 0) {
        failures = 0;
        this.#advance(part[attempt.from - 1]!);
      }
      if (this.#options.settings().bisect && rest.length > 1) {
        // Splitting does not consume the retry quota.
        const half = Math.ceil(rest.length / 2);
        parts.unshift(rest.slice(0, half), rest.slice(half));
        continue;
      }
      if (failures >= this.#options.settings().maximumRetryAttempts) {
        await this.#discard(rest, 'RetryAttemptsExhausted', invocations, attempt.completed);
        failures = refusals = invocations = 0;
        continue;
      }
      parts.unshift(rest);
      await this.#backOff(failures++);
    }
  }

  async #attempt(records: readonly ShardRecord[]): Promise<Attempt> {
    let completed: Completed;
    const { clock, aged } = this.#options;
    aged(clock.now() - (records.at(-1)?.at ?? clock.now()));
    try {
      completed = await this.#options.invoke(
        JSON.stringify({ Records: records.map(({ record }) => record) }),
      );
    } catch (error) {
      if (error instanceof AwsError) return { kind: 'refused' };
      throw error;
    }
    if (completed.functionError !== undefined) return { kind: 'failed', from: 0, completed };
    if (!this.#options.settings().reportItemFailures) return { kind: 'done' };
    const from = firstFailure(completed.payload, records);
    return from === undefined ? { kind: 'done' } : { kind: 'failed', from, completed };
  }

  async #withoutExpired(
    part: readonly ShardRecord[] | undefined,
    invocations: number,
  ): Promise<readonly ShardRecord[] | undefined> {
    if (part === undefined) return undefined;
    const oldest = this.#options.clock.now() - this.#options.settings().maximumRecordAgeMs;
    const expired = part.filter(({ at }) => at < oldest);
    if (expired.length === 0) return part;
    await this.#discard(expired, 'RecordAgeExceeded', invocations, undefined);
    return part.filter(({ at }) => at >= oldest);
  }

  async #discard(
    records: readonly ShardRecord[],
    condition: Discarded['condition'],
    invocations: number,
    completed: Completed | undefined,
  ): Promise<void> {
    const { shardId } = this.#options;
    await this.#options.discard({ shardId, records, condition, invocations, completed });
    this.#advance(records.at(-1)!);
  }

  #advance({ position }: ShardRecord): void {
    this.#position = Math.max(this.#position, position);
  }

  #read(limit: number): readonly ShardRecord[] {
    const { source, streamArn, shardId } = this.#options;
    return source.read(streamArn, shardId, this.#position, limit);
  }

  #backOff(times: number): Promise<void> {
    return this.#wait(Math.min(maxRetryDelayMs, this.#options.retryDelayMs * 2 ** times));
  }

  async #wait(ms: number): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#timer = { timer: this.#options.clock.after(ms, resolve), resolve };
    });
    this.#timer = undefined;
  }
}

/**
 * The index of the first record that the function reports as failed; undefined when it reports none. An identifier
 * that is no record's makes the whole batch fail.
 */
function firstFailure(payload: string, records: readonly ShardRecord[]): number | undefined {
  const response = JSON.parse(payload) as {
    batchItemFailures?: { itemIdentifier?: unknown }[] | null;
  } | null;
  const failures = response?.batchItemFailures ?? [];
  if (failures.length === 0) return undefined;
  const indexes = failures.map(({ itemIdentifier }) =>
    records.findIndex(({ record }) => record.dynamodb?.SequenceNumber === itemIdentifier),
  );
  return Math.max(0, Math.min(...indexes));
}
