/** What `npm run bench` understands. */
import { parseArgs } from 'node:util';

const benchmarks = ['deployment', 'reaction', 'functions', 'balancer'] as const;
type Benchmark = (typeof benchmarks)[number];

export interface Options {
  readonly json: boolean;
  readonly only: readonly Benchmark[];
  /** Fresh processes for each function's cold start. */
  readonly times: number;
}

export const help = `npm run bench -- [--json] [--only NAME]… [--times N]

Measures Cutover on this machine. What counts are counts and ratios, each against a floor or
a peer of the same run; absolute times depend on the machine and nothing is asserted on them.

  deployment   what one deployment costs: state transitions, invocations, AWS calls by action,
               against the minimum that its effects need; and in USD at list prices
  reaction     seconds from the alarm to the old weights, and from the start to the launch
  functions    cold start and size of each bundled function, against an empty handler
  balancer     requests per second through the embedded load balancer, against the app itself

  --only NAME  this one alone; may be given again
  --times N    processes started for each function (default: 7)
  --json       JSON lines to stdout: one measure a line; everything else goes to stderr.
               Silence npm's own lines with: npm run --silent bench -- --json
  --help       this text
`;

/** A mistake of whoever started it: one line, exit code 2. */
export class UsageError extends Error {}

export function readCommandLine(args: readonly string[]): Options | 'help' {
  const values = parsed(args);
  if (values.help === true) return 'help';
  const times = values.times ?? '7';
  if (!/^[1-9]\d{0,2}$/.test(times))
    throw new UsageError(`--times takes a whole number from 1 to 999, got ${times}`);
  return {
    json: values.json === true,
    only: (values.only ?? [...benchmarks]).map(benchmark),
    times: Number(times),
  };
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
        help: { type: 'boolean', short: 'h' },
      },
    }).values;
  } catch (mistake) {
    const words = mistake instanceof Error ? (mistake.message.split('. ')[0] ?? '') : String(mistake);
    throw new UsageError(`${words}; see npm run bench -- --help`, { cause: mistake });
  }
}
