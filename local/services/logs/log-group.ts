/** One log group: its streams and the newest of their events, in a bounded list. */

export interface LogEvent {
  /** Sorts by timestamp, then by arrival; as long as AWS's own ids. */
  readonly id: string;
  readonly stream: string;
  readonly timestamp: number;
  readonly ingestionTime: number;
  readonly message: string;
}

export interface LogStreamState {
  readonly name: string;
  readonly creationTime: number;
  firstEventTimestamp?: number;
  lastEventTimestamp?: number;
  lastIngestionTime?: number;
}

const idLength = 56;
const timestampLength = 14;
const msPerDay = 86_400_000;

export class LogGroup {
  readonly name: string;
  readonly creationTime: number;
  readonly streams = new Map<string, LogStreamState>();
  readonly tags = new Map<string, string>();
  retentionInDays: number | undefined;
  kmsKeyId: string | undefined;
  readonly #maxEvents: number;
  #events: LogEvent[] = [];
  #arrivals = 0;

  constructor(options: { name: string; creationTime: number; maxEvents: number }) {
    this.name = options.name;
    this.creationTime = options.creationTime;
    this.#maxEvents = options.maxEvents;
  }

  get storedBytes(): number {
    // 26 bytes of overhead per event, as AWS counts them.
    return this.#events.reduce((sum, event) => sum + Buffer.byteLength(event.message) + 26, 0);
  }

  createStream(name: string, now: number): LogStreamState {
    const stream: LogStreamState = { name, creationTime: now };
    this.streams.set(name, stream);
    return stream;
  }

  deleteStream(name: string): void {
    this.streams.delete(name);
    this.#events = this.#events.filter((event) => event.stream !== name);
  }

  append(stream: LogStreamState, timestamp: number, message: string, now: number): void {
    const id =
      String(Math.floor(timestamp)).padStart(timestampLength, '0') +
      String(this.#arrivals++).padStart(idLength - timestampLength, '0');
    const event: LogEvent = { id, stream: stream.name, timestamp, ingestionTime: now, message };
    const at = this.#events.findLastIndex((other) => other.id < id) + 1;
    this.#events.splice(at, 0, event);
    stream.firstEventTimestamp = Math.min(stream.firstEventTimestamp ?? timestamp, timestamp);
    stream.lastEventTimestamp = Math.max(stream.lastEventTimestamp ?? timestamp, timestamp);
    stream.lastIngestionTime = now;
    // A tenth of slack, so that not every append moves the whole list.
    if (this.#events.length > this.#maxEvents * 1.1)
      this.#events.splice(0, this.#events.length - this.#maxEvents);
  }

  /** What is kept and not older than the retention, oldest first. */
  events(now: number): readonly LogEvent[] {
    if (this.retentionInDays === undefined) return this.#events;
    const oldest = now - this.retentionInDays * msPerDay;
    if ((this.#events[0]?.timestamp ?? oldest) < oldest) {
      this.#events = this.#events.filter((event) => event.timestamp >= oldest);
    }
    return this.#events;
  }
}
