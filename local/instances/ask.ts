/**
 * One command of user data: asks the region what comes of it, and passes that on. It runs as a program of its own, so it
 * imports nothing but node's modules.
 */
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import type { Asked, Outcome } from './command.ts';

const [name = '', ...args] = process.argv.slice(2);

/** Any other would take what belongs to a loop around it. */
const readsInput = args.includes('--password-stdin');

function namedFiles(): Record<string, string> {
  const paths = args.flatMap((arg, at) => {
    if (arg.startsWith('--env-file=')) return [arg.slice('--env-file='.length)];
    return args[at - 1] === '--env-file' ? [arg] : [];
  });
  return Object.fromEntries(paths.map((path) => [path, readFileSync(path, 'utf8')]));
}

function ask(asked: Asked): void {
  const socket = connect(process.env['INSTANCE_SOCKET'] ?? '/run/instance/ask.sock');
  let answer = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    answer += text;
  });
  socket.on('end', () => {
    if (answer === '') process.exit(1);
    const { stdout, stderr, exitCode } = JSON.parse(answer) as Outcome;
    process.exitCode = exitCode;
    process.stderr.write(stderr);
    process.stdout.write(stdout);
  });
  // The region is gone, and the instance with it.
  socket.on('error', () => process.exit(1));
  socket.write(`${JSON.stringify(asked)}\n`);
}

try {
  ask({
    name,
    args,
    input: readsInput ? readFileSync(0, 'utf8') : '',
    environment: Object.fromEntries(Object.entries(process.env).map(([key, value = '']) => [key, value])),
    files: namedFiles(),
  });
} catch (error) {
  process.stderr.write(`${name}: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
