/** What `npm run bench` understands. */
import { parseArgs } from 'node:util';

const benchmarks = ['deployment', 'reaction', 'functions', 'balancer', 'comparison'] as const;
type Benchmark = (typeof benchmarks)[number];

export interface Options {
  readonly json: boolean;
  readonly only: readonly Benchmark[];
  /** Fresh processes for each function's cold start. */
  readonly times: number;
  /** Simulated for each row of the comparison. */
  readonly canaries: number;
}

export const help = `npm run bench -- [--json] [--only NAME]… [--times N] [--canaries N]

Measures Cutover on this machine. What counts are counts and ratios, each against a floor or
a peer of the same run; absolute times depend on the machine and nothing is asserted on them.

  deployment   what one deployment costs: state transitions, invocations, AWS calls by action,
               against the minimum that its effects need; and in USD at list prices
  reaction     seconds from the alarm to the old weights, and from the start to the launch
  functions    cold start and size of each bundled function, against an empty handler
  balancer     requests per second through the embedded load balancer, against the app itself
  comparison   simulated canaries that the comparison takes back as worse, in percent with the 95 %
               interval, beside Kayenta's judge (Mann-Whitney) on the same minutes, asked once at
               the end and asked each minute; what is unclear at the end; requests until half of
               them were taken back, requests needed for nine of ten, and how many were by then

  --only NAME  this one alone; may be given again
  --times N    processes started for each function (default: 7)
  --canaries N canaries simulated for each row of the comparison (default: 10000)
  --json       JSON lines to stdout: one measure a line; everything else goes to stderr.
               Silence npm's own lines with: npm run --silent bench -- --json
  --help       this text
`;

/** A mistake of whoever started it: one line, exit code 2. */
export class UsageError extends Error {}

export function readCommandLine(args: readonly string[]): Options | 'help' {
  const values = parsed(args);
  if (values.help === true) return 'help';
  return {
    json: values.json === true,
    only: (values.only ?? [...benchmarks]).map(benchmark),
    times: whole('times', values.times ?? '7', 999),
    canaries: whole('canaries', values.canaries ?? '10000', 1_000_000),
  };
}

function whole(option: string, text: string, most: number): number {
  const value = Number(text);
  if (/^[1-9]\d*$/.test(text) && value <= most) return value;
  throw new UsageError(`--${option} takes a whole number from 1 to ${most}, got ${text}`);
}

function benchmark(name: string): Benchmark {
  const known = benchmarks.find((each) => each === name);
  if (known === undefined) throw new UsageError(`--only takes ${benchmarks.join(', ')}, got ${name}`);
  return known;
}

function parsed(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        json: { type: 'boolean' },
        only: { type: 'string', multiple: true },
        times: { type: 'string' },
        canaries: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (mistake) {
    const words = mistake instanceof Error ? (mistake.message.split('. ')[0] ?? '') : String(mistake);
    throw new UsageError(`${words}; see npm run bench -- --help`, { cause: mistake });
  }
}
