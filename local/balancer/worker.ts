/** The balancer's thread: takes commands from the main thread and reports what was counted. */
import { parentPort } from 'node:worker_threads';
import { DataPlane } from './data-plane.ts';
import type { Ask, Report } from './protocol.ts';

/** Often enough that a minute of a fast-forwarded clock still has many reports. */
const reportEveryMs = 100;

const main = parentPort;
if (main === null) throw new Error('The balancer runs in a worker thread');

const plane = new DataPlane();
const tell = (report: Report) => main.postMessage(report);

main.on('message', ({ id, command }: Ask) => {
  plane.obey(command).then(
    (result) => tell({ kind: 'done', id, result }),
    (error: unknown) =>
      tell({ kind: 'failed', id, error: error instanceof Error ? error.message : String(error) }),
  );
});

setInterval(() => {
  const report = plane.report();
  if (report !== undefined) tell({ kind: 'counted', report });
}, reportEveryMs);
