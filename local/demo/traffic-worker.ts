/** Sends what it is told to and counts the answers. A thread of its own, so that nothing else delays it. */
import { parentPort, workerData } from 'node:worker_threads';
import { Pool } from 'undici';

export interface TrafficCounts {
  readonly total: number;
  /** Requests that no generation answered: refused, reset, timed out, or answered 5xx by the load balancer itself. */
  readonly lost: number;
  /** Requests that a generation answered with 5xx. */
  readonly failed: number;
  /** By the demo's own version header; images of others count as `other`. */
  readonly byVersion: Readonly<Record<string, number>>;
  /** What was lost, in words: the first few. */
  readonly losses: readonly string[];
}

type Order = { readonly send: number; readonly overMs: number } | { readonly stop: true };

/** What a load balancer of AWS calls itself in answers of its own. */
const balancer = 'awselb/2.0';
const { url } = workerData as { url: string };
const { origin, pathname } = new URL(url);
const pool = new Pool(origin, {
  connections: 32,
  pipelining: 1,
  headersTimeout: 30_000,
  bodyTimeout: 30_000,
});
const byVersion: Record<string, number> = {};
const losses: string[] = [];
let total = 0;
let lost = 0;
let failed = 0;
let open = 0;
let due = 0;
let stopping = false;
let ended = false;

async function send(): Promise<void> {
  open += 1;
  try {
    const { statusCode, headers, body } = await pool.request({ path: pathname, method: 'GET' });
    await body.dump();
    if (statusCode >= 500 && headers['server'] === balancer)
      throw new Error(`HTTP ${statusCode} from the load balancer`);
    const version = String(headers['x-version'] ?? 'other');
    byVersion[version] = (byVersion[version] ?? 0) + 1;
    if (statusCode >= 500) failed += 1;
  } catch (loss) {
    lost += 1;
    if (losses.length < 10)
      losses.push(loss instanceof Error ? `${loss.name}: ${loss.message}` : String(loss));
  } finally {
    total += 1;
    open -= 1;
    endWhenDone();
  }
}

function endWhenDone(): void {
  if (stopping && open === 0 && due === 0) void end();
}

function report(): void {
  parentPort?.postMessage({ total, lost, failed, byVersion, losses } satisfies TrafficCounts);
}

async function end(): Promise<void> {
  if (ended) return;
  ended = true;
  clearInterval(reporting);
  report();
  await pool.close();
  parentPort?.close();
}

const reporting = setInterval(report, 100);
parentPort?.on('message', (order: Order) => {
  if ('stop' in order) {
    stopping = true;
    endWhenDone();
    return;
  }
  // Spread over the tick; counted at once, so that what was ordered is sent also when the end comes before it.
  due += order.send;
  for (let n = 0; n < order.send; n++) {
    setTimeout(
      () => {
        due -= 1;
        void send();
      },
      (n * order.overMs) / order.send,
    );
  }
});
