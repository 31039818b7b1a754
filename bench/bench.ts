/** `npm run bench`: counts and ratios, each against a floor or a peer of the same run. */
import { measureBalancer } from './balancer.ts';
import { help, type Options, readCommandLine, UsageError } from './command-line.ts';
import { measureComparison } from './comparison.ts';
import { measureDeployment } from './deployment.ts';
import { Example } from './example.ts';
import { measureFunctions } from './functions.ts';
import type { Report } from './measure.ts';
import { measureReaction } from './reaction.ts';
import { jsonLines, table } from './report.ts';

/** Of the clock, while nothing is in flight: half an hour of bakes must fit into this bench. */
const speed = 100;

// Everything is closed by then; what still waits for a deployment that was given up must not keep the process.
process.exit(await main());

async function main(): Promise<number> {
  try {
    const options = readCommandLine(process.argv.slice(2));
    if (options === 'help') {
      process.stdout.write(help);
      return 0;
    }
    await run(options);
    return 0;
  } catch (failure) {
    const words =
      failure instanceof UsageError
        ? failure.message
        : failure instanceof Error
          ? failure.stack
          : String(failure);
    process.stderr.write(`bench: ${words}\n`);
    return failure instanceof UsageError ? 2 : 1;
  }
}

async function run({ json, only, times, canaries }: Options): Promise<void> {
  const write = (text: string): void => void process.stdout.write(text);
  const report: Report = json ? jsonLines(write) : table(write);
  // One after the other: they must not disturb each other's times.
  if (only.includes('deployment') || only.includes('reaction')) await onExample(report, only);
  if (only.includes('functions')) await measureFunctions(report, times);
  if (only.includes('balancer')) await measureBalancer(report);
  if (only.includes('comparison')) await measureComparison(report, canaries);
}

async function onExample(report: Report, only: Options['only']): Promise<void> {
  const interrupted = new Promise<never>((_resolve, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const)
      process.once(signal, () => reject(new Error(`ended by ${signal}`)));
  });
  // It may come while the example is still being made, which is then made and ended.
  interrupted.catch(() => undefined);
  const example = await Example.create(speed);
  const measured = async (): Promise<void> => {
    await example.deploy();
    if (only.includes('deployment')) await measureDeployment(report, example);
    if (only.includes('reaction')) await measureReaction(report, example);
  };
  try {
    await Promise.race([measured(), example.failed, interrupted]);
  } finally {
    await example.close();
  }
}
