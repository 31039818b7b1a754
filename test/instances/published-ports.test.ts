/** The ports of an instance whose containers have no network of their own, and are reached by this machine's ports. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { PublishedPorts } from '../../local/instances/published-ports.ts';
import { get } from '../tasks/tasks.ts';

let folder: string;
let ports: PublishedPorts;
const servers: Server[] = [];

const container = async (answer: string) => {
  const server = createServer((_, response) => void response.end(answer)).listen(0, '127.0.0.1');
  servers.push(server);
  await once(server, 'listening');
  return { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
};

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ports-'));
  let made = 0;
  ports = new PublishedPorts(() => join(folder, `${(made += 1)}.sock`));
});

afterEach(async () => {
  await ports.closeAll();
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true });
});

it('lead to one container after the other by the same address, and nowhere between', async () => {
  const address = ports.address(8080);
  await expect(get(address, '/')).rejects.toThrow('ENOENT');
  await ports.lead(8080, await container('first'));
  expect(await get(address, '/')).toBe('first');
  await ports.close(8080);
  await expect(get(address, '/')).rejects.toThrow('ENOENT');
  await ports.lead(8080, await container('second'));
  expect(await get(address, '/')).toBe('second');
  expect(ports.address(8080)).toEqual(address);
});

it('that two containers have lead to each', async () => {
  await ports.lead(8080, await container('first'));
  await ports.lead(8081, await container('second'));
  expect([await get(ports.address(8080), '/'), await get(ports.address(8081), '/')]).toEqual([
    'first',
    'second',
  ]);
});
