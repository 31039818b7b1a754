/** What `npm start` understands. */
import { parseArgs } from 'node:util';

export interface Options {
  readonly once: boolean;
  readonly json: boolean;
  readonly port: number;
  readonly speed: number;
}

export const help = `npm start -- [--once] [--json] [--port N] [--speed N]

Runs Cutover on this machine: the embedded AWS is provisioned from the synthesized
template. Four images of the service web, on ECS, are pushed, one after the other, then
a rollback is ordered, then three images of worker, on EC2 Auto Scaling, are pushed, and
you watch what becomes of them: in two minutes or so. Then it stays up for images of
your own.

  --once       end after the last image; exit code 0 when all came out as they should
  --json       JSON lines to stdout: first the endpoints, last (with --once) the results.
               Silence npm's own lines with: npm start --silent -- --once --json
  --port N     port of the APIs and the image registry (default: a free one)
  --speed N    how many times faster than the wall the clock runs while nothing
               happens (default: 20, 1 is real time)
  --help       this text

Exit codes: 0 as expected, 1 something came out otherwise, 2 it could not be started;
129 the terminal was closed (SIGHUP), 130 Ctrl-C before the end (SIGINT; after it, when
it only stays up, 0 or 1), 143 it was told to end (SIGTERM;
npm does not pass that on: send it to the process local/start.ts).
`;

/** A mistake of whoever started it: one line, exit code 2. */
export class UsageError extends Error {}

export function readCommandLine(args: readonly string[]): Options | 'help' {
  const values = parsed(args);
  if (values.help === true) return 'help';
  return {
    once: values.once === true,
    json: values.json === true,
    port: wholeNumber('--port', values.port ?? '0', 0, 65_535),
    speed: wholeNumber('--speed', values.speed ?? '20', 1, 1_000),
  };
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        once: { type: 'boolean' },
        json: { type: 'boolean' },
        port: { type: 'string' },
        speed: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (mistake) {
    const words = mistake instanceof Error ? (mistake.message.split('. ')[0] ?? '') : String(mistake);
    throw new UsageError(`${words}; see npm start -- --help`, { cause: mistake });
  }
}

function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new UsageError(
    `${flag} takes a whole number from ${least} to ${most}, got ${text}; see npm start -- --help`,
  );
}
