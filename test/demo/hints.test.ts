import { expect, it } from 'vitest';
import { hints } from '../../local/demo/hints.ts';

const lines = hints({
  service: 'web',
  endpoint: 'http://127.0.0.1:4566',
  site: 'http://127.0.0.1:8080',
  listener: 'arn:listener',
  rollbackMachine: 'arn:rollback',
  signalFunction: 'signal',
  next: 'v5',
});
const commands = lines.filter((line) => line.startsWith('  ')).map((line) => line.trim());

it('gives each command whole in one line, with nothing left to fill in', () => {
  for (const command of commands) {
    expect(command).toMatch(/^(?:docker|skopeo|export|aws|curl|echo) /);
    expect(command).not.toMatch(/[…\\]|undefined|--endpoint-url/);
  }
});

it('says where AWS is before the first command that must know it', () => {
  const told = commands.findIndex((command) => command.startsWith('export AWS_ENDPOINT_URL='));
  expect(told).toBeGreaterThan(-1);
  expect(commands.findIndex((command) => command.startsWith('aws '))).toBeGreaterThan(told);
});

it('releases what is held before it goes back: else the order is refused', () => {
  const release = commands.findIndex((command) => command.includes('"signal":"release"'));
  const back = commands.findIndex((command) => command.includes('start-execution'));
  expect(release).toBeGreaterThan(-1);
  expect(back).toBeGreaterThan(release);
});
