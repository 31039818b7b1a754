/** `npm start`: the whole of Cutover on this machine. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { help, type Options, readCommandLine, UsageError } from './command-line.ts';
import { interruption } from './demo/interruption.ts';
import { runDemo } from './demo/run.ts';
import { synthesize } from './synthesize.ts';

process.exitCode = await main();

async function main(): Promise<number> {
  try {
    const options = readCommandLine(process.argv.slice(2));
    if (options === 'help') {
      process.stdout.write(help);
      return 0;
    }
    return await start(options);
  } catch (failure) {
    process.stderr.write(`cutover: ${inOneLine(failure, process.argv)}\n`);
    return 2;
  }
}

async function start(options: Options): Promise<number> {
  const interrupted = interruption();
  const folder = await mkdtemp(join(tmpdir(), 'cutover-start-'));
  try {
    const assembly = join(folder, 'cdk.out');
    return await runDemo({
      ...options,
      assembly,
      synthesize: (signal) => synthesize(assembly, signal),
      interrupted,
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function inOneLine(failure: unknown, args: readonly string[]): string {
  if (failure instanceof UsageError) return failure.message;
  if (failure instanceof Error && 'code' in failure && failure.code === 'EADDRINUSE') {
    const at = args.findIndex((argument) => argument.startsWith('--port'));
    const port = /^--port=(\d+)$/.exec(args[at] ?? '')?.[1] ?? args[at + 1];
    return `port ${port} is taken; choose another with --port, or leave it out for a free one`;
  }
  return failure instanceof Error ? failure.message.replaceAll('\n', ' ') : String(failure);
}
