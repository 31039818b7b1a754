import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { containerUser, mergedCommand } from '../../local/tasks/container-command.ts';

describe('the command', () => {
  test.each([
    { image: ['E', 'C'], task: [undefined, undefined], runs: ['E', 'C'] },
    { image: ['E', 'C'], task: [undefined, ['c']], runs: ['E', 'c'] },
    { image: ['E', 'C'], task: [['e'], undefined], runs: ['e'] },
    { image: ['E', 'C'], task: [['e'], ['c']], runs: ['e', 'c'] },
    { image: ['E', undefined], task: [undefined, undefined], runs: ['E'] },
    { image: [undefined, 'C'], task: [undefined, undefined], runs: ['C'] },
    { image: [undefined, 'C'], task: [[], []], runs: ['C'] },
    { image: [undefined, undefined], task: [undefined, ['c']], runs: ['c'] },
    { image: [undefined, undefined], task: [undefined, undefined], runs: [] },
  ])('of image $image with task definition $task is $runs', ({ image, task, runs }) => {
    const [Entrypoint, Cmd] = image.map((word) => (word === undefined ? null : [word]));
    const [entryPoint, command] = task;
    const spec = {
      image: { config: { Entrypoint: Entrypoint ?? null, Cmd: Cmd ?? null } },
      ...(entryPoint === undefined ? {} : { entryPoint }),
      ...(command === undefined ? {} : { command }),
    };
    expect(mergedCommand(spec)).toEqual(runs);
  });
});

describe('the user', () => {
  let root: string;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'user-test-'));
    await mkdir(join(root, 'etc'));
    await writeFile(join(root, 'etc/passwd'), 'root:x:0:0::/root:\nweb:x:1000:1001::/home/web:\n');
    await writeFile(join(root, 'etc/group'), 'root:x:0:\nstaff:x:50:web\n');
  });
  afterAll(async () => {
    await rm(root, { recursive: true });
  });

  test.each([
    ['', { uid: 0, gid: 0, home: '/root' }],
    ['web', { uid: 1000, gid: 1001, home: '/home/web' }],
    ['1000', { uid: 1000, gid: 1001, home: '/home/web' }],
    ['web:staff', { uid: 1000, gid: 50, home: '/home/web' }],
    ['4711:4712', { uid: 4711, gid: 4712, home: '/' }],
    ['4711', { uid: 4711, gid: 0, home: '/' }],
  ])('%j is looked up in the image', async (user, expected) => {
    expect(await containerUser(user, root)).toEqual(expected);
  });

  test('is never looked up outside of the image', async () => {
    const linked = await mkdtemp(join(tmpdir(), 'user-test-'));
    await mkdir(join(linked, 'etc'));
    await symlink(join(root, 'etc/passwd'), join(linked, 'etc/passwd'));
    await expect(containerUser('web', linked)).rejects.toThrow(
      'unable to find user web: no matching entries in passwd file',
    );
    await rm(linked, { recursive: true });
  });
});
