/**
 * What one execution environment logs: the function's lines and, around each invocation, Lambda's own.
 * https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-advanced.html
 */
import type { Clock } from '../../clock.ts';

export interface Report {
  readonly requestId: string;
  readonly durationMs: number;
  /** For the first invocation of an environment. */
  readonly initDurationMs: number | undefined;
  readonly memorySize: number;
  readonly memoryUsed: number;
  readonly status: 'success' | 'error' | 'timeout';
  readonly errorType: string | undefined;
}

/** `LogType: Tail` answers with the last 4 KB. */
const tailBytes = 4096;

export class EnvironmentLog {
  readonly stream: string;
  readonly json: boolean;
  readonly #clock: Clock;
  readonly #write: (line: string) => void;
  #tail = '';

  constructor(options: { clock: Clock; stream: string; json: boolean; write: (line: string) => void }) {
    this.#clock = options.clock;
    this.stream = options.stream;
    this.json = options.json;
    this.#write = options.write;
  }

  line(text: string): void {
    this.#write(text);
    this.#tail = `${this.#tail}${text}\n`.slice(-tailBytes);
  }

  start(requestId: string, version: string): void {
    this.#tail = '';
    if (this.json) this.#platform('platform.start', { requestId, version });
    else this.line(`START RequestId: ${requestId} Version: ${version}`);
  }

  /** Lambda's last lines of an invocation; returns the tail of all its lines. */
  report(report: Report): string {
    if (this.json) this.#reportJson(report);
    else this.#reportText(report);
    return this.#tail;
  }

  #reportText(report: Report): void {
    const { requestId, durationMs, initDurationMs, status, errorType } = report;
    if (status === 'timeout') {
      const now = new Date(this.#clock.now()).toISOString();
      this.line(`${now} ${requestId} Task timed out after ${(durationMs / 1000).toFixed(2)} seconds`);
    }
    this.line(`END RequestId: ${requestId}`);
    const parts = [
      `REPORT RequestId: ${requestId}`,
      `Duration: ${durationMs.toFixed(2)} ms`,
      `Billed Duration: ${Math.ceil(durationMs + (initDurationMs ?? 0))} ms`,
      `Memory Size: ${report.memorySize} MB`,
      `Max Memory Used: ${report.memoryUsed} MB`,
      ...(initDurationMs === undefined ? [] : [`Init Duration: ${initDurationMs.toFixed(2)} ms`]),
      ...(status === 'success' ? [] : [`Status: ${status}`]),
      ...(errorType === undefined ? [] : [`Error Type: ${errorType}`]),
    ];
    this.line(parts.join('\t'));
  }

  #reportJson(report: Report): void {
    const { requestId, durationMs, initDurationMs, status, errorType } = report;
    this.#platform('platform.report', {
      requestId,
      metrics: {
        durationMs,
        billedDurationMs: Math.ceil(durationMs + (initDurationMs ?? 0)),
        memorySizeMB: report.memorySize,
        maxMemoryUsedMB: report.memoryUsed,
        ...(initDurationMs === undefined ? {} : { initDurationMs }),
      },
      status,
      ...(errorType === undefined ? {} : { errorType }),
    });
  }

  #platform(type: string, record: object): void {
    this.line(JSON.stringify({ time: new Date(this.#clock.now()).toISOString(), type, record }));
  }
}
