import { once } from 'node:events';
import { request as ask } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { Agent, Pool, request } from 'undici';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type App, app } from './app.ts';
import { Bench, byDefault, weighted } from './bench.ts';

let bench: Bench;
let apps: App[];

beforeAll(() => {
  bench = new Bench();
});

beforeEach(() => {
  apps = [];
});

afterAll(() => bench.close());

afterEach(async () => {
  await bench.reset();
  await Promise.all(apps.map((one) => one.close()));
});

async function started(...args: Parameters<typeof app>): Promise<App> {
  const one = await app(...args);
  apps.push(one);
  return one;
}

const named = (name: string) => started((_request, response) => response.end(name));

describe('routing', () => {
  test('shares requests among groups by weight', async () => {
    const [blue, green] = [await named('blue'), await named('green')];
    await bench.group('blue', [blue]);
    await bench.group('green', [green]);
    await bench.listen([byDefault(weighted({ blue: 90, green: 10 }))]);
    const pool = new Pool(bench.url, { connections: 16 });
    const answers = await Promise.all(
      Array.from({ length: 2000 }, async () =>
        (await pool.request({ path: '/', method: 'GET' })).body.text(),
      ),
    );
    await pool.close();
    const share = answers.filter((answer) => answer === 'green').length / answers.length;
    // Ten per cent give or take four standard deviations.
    expect(share).toBeGreaterThan(0.073);
    expect(share).toBeLessThan(0.127);
  });

  test('sends nothing to a weight of zero and follows a new weight at once', async () => {
    await bench.group('blue', [await named('blue')]);
    await bench.group('green', [await named('green')]);
    await bench.listen([byDefault(weighted({ blue: 100, green: 0 }))]);
    const first = await Promise.all(Array.from({ length: 50 }, () => bench.text()));
    await bench.route([byDefault(weighted({ blue: 0, green: 100 }))]);
    const second = await Promise.all(Array.from({ length: 50 }, () => bench.text()));
    expect(new Set(first)).toEqual(new Set(['200 blue']));
    expect(new Set(second)).toEqual(new Set(['200 green']));
  });

  test('goes round the healthy targets of a group', async () => {
    const [one, two, sick] = [await named('one'), await named('two'), await named('sick')];
    await bench.group('blue', [one, two, { address: sick.address, state: 'unhealthy' }]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const answers: string[] = [];
    for (let count = 0; count < 6; count++) answers.push(await bench.text());
    expect(answers.filter((answer) => answer === '200 one')).toHaveLength(3);
    expect(answers.filter((answer) => answer === '200 two')).toHaveLength(3);
  });

  test('fails open when no target is healthy', async () => {
    await bench.group('blue', [{ address: (await named('sick')).address, state: 'unhealthy' }]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    expect(await bench.text()).toBe('200 sick');
  });

  test('picks the rule by priority and header', async () => {
    await bench.group('blue', [await named('blue')]);
    await bench.group('green', [await named('green')]);
    await bench.listen([
      byDefault({
        Type: 'fixed-response',
        FixedResponseConfig: { StatusCode: '404', MessageBody: 'nobody' },
      }),
      {
        priority: 20,
        conditions: [{ Field: 'path-pattern', PathPatternConfig: { Values: ['/shop/*'] } }],
        actions: [weighted({ blue: 1 })],
      },
      {
        priority: 10,
        conditions: [
          { Field: 'http-header', HttpHeaderConfig: { HttpHeaderName: 'X-Slot', Values: ['green'] } },
        ],
        actions: [weighted({ green: 1 })],
      },
    ]);
    expect(await bench.text('/shop/1')).toBe('200 blue');
    expect(await bench.text('/shop/1', { headers: { 'x-slot': 'GREEN' } })).toBe('200 green');
    expect(await bench.text('/elsewhere')).toBe('404 nobody');
  });

  test('redirects with what the rule does not name kept', async () => {
    await bench.listen([
      byDefault({
        Type: 'redirect',
        RedirectConfig: { StatusCode: 'HTTP_301', Protocol: 'HTTPS', Port: '443', Path: '/new/#{path}' },
      }),
    ]);
    const response = await fetch(`${bench.url}/old?a=1`, { redirect: 'manual' });
    expect(response.status).toBe(301);
    expect(response.headers.get('location')).toBe('https://127.0.0.1/new/old?a=1');
  });

  test('refuses where authentication would come first', async () => {
    await bench.listen([
      {
        priority: undefined,
        conditions: [],
        actions: [
          { Type: 'authenticate-oidc', Order: 1 },
          { ...weighted({ blue: 1 }), Order: 2 },
        ],
      },
    ]);
    expect(await bench.text()).toMatch(/^561 /);
  });

  test('keeps a client at its group by cookie, before any weight', async () => {
    await bench.group('blue', [await named('blue')]);
    await bench.group('green', [await named('green')]);
    await bench.listen([byDefault(weighted({ blue: 1, green: 0 }, 60))]);
    const first = await fetch(bench.url);
    const cookie = first.headers.getSetCookie()[0]?.split(';')[0] ?? '';
    expect(cookie).toMatch(/^AWSALBTG=/);
    await bench.route([byDefault(weighted({ blue: 0, green: 1 }, 60))]);
    expect(await bench.text('/', { headers: { cookie } })).toBe('200 blue');
    expect(await bench.text()).toBe('200 green');
    await bench.route([byDefault(weighted({ green: 1 }, 60))]);
    expect(await bench.text('/', { headers: { cookie } })).toBe('200 green');
  });
});

describe('passing on', () => {
  test('tells the target where the request came from and takes hop-by-hop headers off', async () => {
    const echo = await started((incoming, response) => {
      response.setHeader('Connection', 'X-Hop');
      response.setHeader('X-Hop', 'gone');
      response.setHeader('X-Kept', ['one', 'two']);
      response.end(JSON.stringify(incoming.headers));
    });
    await bench.group('blue', [echo]);
    await bench.listen([byDefault(weighted({ blue: 1 }))], { port: 443, protocol: 'https' });
    const sent = ask(`${bench.url}/a?b=c`, {
      headers: {
        Connection: 'keep-alive, X-Mine',
        'X-Mine': 'hop',
        'X-Forwarded-For': '203.0.113.7',
        'X-Amzn-Trace-Id': 'Root=1-67891233-abcdef012345678912345678',
      },
    });
    sent.end();
    const [incoming] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    const chunks: Buffer[] = [];
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
    const seen = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, string>;
    expect(seen['x-mine']).toBeUndefined();
    expect(seen['x-forwarded-for']).toBe('203.0.113.7, 127.0.0.1');
    expect(seen['x-forwarded-proto']).toBe('https');
    expect(seen['x-forwarded-port']).toBe('443');
    expect(seen['host']).toBe(new URL(bench.url).host);
    expect(seen['x-amzn-trace-id']).toMatch(
      /^Self=1-[0-9a-f]{8}-[0-9a-f]{24};Root=1-67891233-abcdef012345678912345678$/,
    );
    expect(incoming.headers['x-hop']).toBeUndefined();
    expect(incoming.headers['x-kept']).toBe('one, two');
  });

  test('keeps connections alive to both sides', async () => {
    const ports = new Set<number | undefined>();
    const backend = await started((incoming, response) => {
      ports.add(incoming.socket.remotePort);
      response.end('ok');
    });
    await bench.group('blue', [backend]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const agent = new Agent({ connections: 1 });
    for (let count = 0; count < 20; count++) {
      await (await request(bench.url, { dispatcher: agent })).body.dump();
    }
    await agent.close();
    expect(ports.size).toBe(1);
    expect(await bench.counted('NewConnectionCount', 1)).toBe(1);
  });

  test('streams both ways while neither side has ended', async () => {
    const echo = await started((incoming, response) => {
      response.flushHeaders();
      incoming.pipe(response);
    });
    await bench.group('blue', [echo]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const sent = ask(bench.url, { method: 'POST' });
    sent.write('first');
    const [incoming] = (await once(sent, 'response')) as [import('node:http').IncomingMessage];
    const [first] = (await once(incoming, 'data')) as [Buffer];
    expect(first.toString()).toBe('first');
    const ended = once(incoming, 'end');
    sent.end('second');
    const [second] = (await once(incoming, 'data')) as [Buffer];
    expect(second.toString()).toBe('second');
    await ended;
  });

  test('waits for a slow reader instead of buffering', async () => {
    const size = 64 * 1024 * 1024;
    let written = 0;
    const backend = await started((_request, response) => {
      const chunk = Buffer.alloc(64 * 1024);
      const more = () => {
        while (written < size) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    await bench.group('blue', [backend]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const { body } = await request(bench.url);
    await wait(150);
    // What fits into socket buffers, far from all of it.
    expect(written).toBeLessThan(size / 2);
    let read = 0;
    for await (const chunk of body) read += (chunk as Buffer).length;
    expect(read).toBe(size);
  });

  test('a client that goes away ends the request at the target', async () => {
    const gone = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const backend = await started((_request, response) => {
      response.on('close', () => gone.resolve());
      reached.resolve();
    });
    await bench.group('blue', [backend]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const sent = ask(bench.url);
    sent.on('error', () => {});
    sent.end();
    await reached.promise;
    sent.destroy();
    await gone.promise;
    expect(await bench.counted('HTTPCode_ELB_4XX_Count', 1)).toBe(1);
  });

  test('passes WebSockets on, and cuts them when the target is gone', async () => {
    const backend = await started((_request, response) => response.end('plain'));
    const sockets = new WebSocketServer({ server: backend.server });
    sockets.on('connection', (socket, incoming) => {
      socket.send(String(incoming.headers['x-forwarded-for']));
      socket.on('message', (message: Buffer) => socket.send(`echo ${message.toString()}`));
    });
    await bench.group('blue', [backend]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const client = new WebSocket(bench.url.replace('http', 'ws'));
    const [greeting] = (await once(client, 'message')) as [Buffer];
    expect(greeting.toString()).toBe('127.0.0.1');
    client.send('hello');
    const [echo] = (await once(client, 'message')) as [Buffer];
    expect(echo.toString()).toBe('echo hello');
    expect(await bench.text()).toBe('200 plain');
    const closed = once(client, 'close');
    await bench.group('blue', []);
    await closed;
  });

  test('reaches a target by its unix socket', async () => {
    const socketPath = `/tmp/balancer-${process.pid}-${Date.now()}.sock`;
    const backend = await named('unused');
    await new Promise<void>((resolve) => {
      backend.server.close(() => resolve());
      backend.server.closeAllConnections();
    });
    await new Promise<void>((resolve) => {
      backend.server.listen(socketPath, resolve);
    });
    await bench.group('blue', [{ address: { socketPath } }]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    expect(await bench.text()).toBe('200 unused');
    const probe = { address: { socketPath }, path: '/', timeoutMs: 1000, host: '10.0.0.1:80' };
    expect(await bench.balancer.probe(probe)).toEqual({ kind: 'answered', status: 200 });
  });
});

describe('failures', () => {
  test('answers 503 for a group without registered targets, and for weights that are all zero', async () => {
    await bench.group('blue', [{ address: (await named('draining')).address, state: 'draining' }]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const response = await fetch(bench.url);
    expect(response.status).toBe(503);
    expect(response.headers.get('server')).toBe('awselb/2.0');
    await bench.route([byDefault(weighted({ blue: 0 }))]);
    expect(await bench.text()).toMatch(/^503 /);
    expect(await bench.counted('HTTPCode_ELB_503_Count', 2)).toBe(2);
    expect(bench.sum('RequestCount')).toBe(0);
  });

  test('answers 502 when the target refuses connections', async () => {
    const gone = await named('gone');
    await gone.close();
    await bench.group('blue', [gone]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    expect(await bench.text()).toMatch(/^502 /);
    expect(await bench.counted('TargetConnectionErrorCount', 1, 'blue')).toBe(1);
    apps = [];
  });

  test('answers 502, once, when the application dies with the request in its hands', async () => {
    let seen = 0;
    const crashing = await started((incoming) => {
      seen += 1;
      incoming.socket.resetAndDestroy();
    });
    await bench.group('blue', [crashing]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    expect(await bench.text()).toMatch(/^502 /);
    expect(await bench.text('/', { method: 'POST', body: 'x'.repeat(100_000) })).toMatch(/^502 /);
    expect(seen).toBe(2);
    expect(await bench.counted('HTTPCode_ELB_502_Count', 2)).toBe(2);
    expect(await bench.counted('RequestCount', 2, 'blue')).toBe(2);
    // A generation that crashes shows no 5XX of its own.
    expect(bench.sum('HTTPCode_Target_5XX_Count', 'blue')).toBe(0);
    expect(bench.sum('HTTPCode_ELB_502_Count', 'blue')).toBe(0);
  });

  test('breaks an answer off that the target broke off', async () => {
    const backend = await started((_request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('part', () => response.destroy());
    });
    await bench.group('blue', [backend]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const { statusCode, body } = await request(bench.url);
    expect(statusCode).toBe(200);
    await expect(body.text()).rejects.toThrow('other side closed');
  });

  test('answers 504 when nothing comes within the idle timeout', async () => {
    await bench.group('blue', [await started(() => {})]);
    await bench.listen([byDefault(weighted({ blue: 1 }))], { idleTimeoutMs: 500 });
    expect(await bench.text()).toMatch(/^504 /);
    expect(await bench.counted('HTTPCode_ELB_504_Count', 1)).toBe(1);
  });

  test('answers 400 to what is no HTTP', async () => {
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const socket = connect(Number(new URL(bench.url).port), '127.0.0.1');
    socket.end('nonsense\r\n\r\n');
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(/^HTTP\/1.1 400 Bad Request\r\nServer: awselb\/2.0/);
  });

  test('loses nothing when the application closes idle connections under load', async () => {
    const idle = new WeakMap<Socket, NodeJS.Timeout>();
    const backend = await started(({ socket }, response) => {
      clearTimeout(idle.get(socket));
      response.on('finish', () =>
        idle.set(
          socket,
          setTimeout(() => socket.destroy(), 2),
        ),
      );
      response.end('ok');
    });
    // Without a timeout there is no hint in `Keep-Alive`: connections are closed under the balancer's hands.
    backend.server.keepAliveTimeout = 0;
    await bench.group('blue', [backend]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const pool = new Pool(bench.url, { connections: 16 });
    const statuses = new Map<number, number>();
    await Promise.all(
      Array.from({ length: 16 }, async () => {
        for (let count = 0; count < 150; count++) {
          const { statusCode, body } = await pool.request({ path: '/', method: 'GET' });
          await body.dump();
          statuses.set(statusCode, (statuses.get(statusCode) ?? 0) + 1);
          if (count % 3 === 0) await wait(2);
        }
      }),
    );
    await pool.close();
    expect([...statuses]).toEqual([[200, 2400]]);
  });

  test('drains without losing a request under load', async () => {
    const slow = (name: string) => started((_request, response) => setTimeout(() => response.end(name), 15));
    const [old, fresh] = [await slow('old'), await slow('fresh')];
    await bench.group('blue', [old]);
    await bench.group('green', [fresh]);
    await bench.listen([byDefault(weighted({ blue: 1, green: 0 }))]);
    const pool = new Pool(bench.url, { connections: 16 });
    const answers: string[] = [];
    let running = true;
    const load = Array.from({ length: 16 }, async () => {
      while (running) {
        const { statusCode, body } = await pool.request({ path: '/', method: 'GET' });
        answers.push(`${statusCode} ${await body.text()}`);
      }
    });
    await wait(100);
    await bench.route([byDefault(weighted({ blue: 0, green: 1 }))]);
    await bench.group('blue', [{ address: old.address, state: 'draining' }]);
    await wait(60);
    await bench.group('blue', []);
    await old.close();
    apps = [fresh];
    await wait(60);
    running = false;
    await Promise.all(load);
    await pool.close();
    expect(new Set(answers)).toEqual(new Set(['200 old', '200 fresh']));
  });

  test('cuts what is still in flight when the target is taken away', async () => {
    const reached = Promise.withResolvers<void>();
    await bench.group('blue', [await started(() => reached.resolve())]);
    await bench.listen([byDefault(weighted({ blue: 1 }))]);
    const answer = bench.text();
    await reached.promise;
    await bench.group('blue', []);
    expect(await answer).toMatch(/^502 /);
  });
});

test('counts what targets answer by balancer and by group, and response times in seconds', async () => {
  const statuses = await started((incoming, response) => {
    response.statusCode = Number(incoming.url?.slice(1));
    response.end();
  });
  await bench.group('blue', [statuses]);
  await bench.listen([byDefault(weighted({ blue: 1 }))]);
  for (const status of [200, 201, 302, 404, 500]) {
    await (await request(`${bench.url}/${status}`)).body.dump();
  }
  expect(await bench.counted('RequestCount', 5, 'blue')).toBe(5);
  for (const [metric, sum] of [
    ['HTTPCode_Target_2XX_Count', 2],
    ['HTTPCode_Target_3XX_Count', 1],
    ['HTTPCode_Target_4XX_Count', 1],
    ['HTTPCode_Target_5XX_Count', 1],
    ['RequestCount', 5],
  ] as const) {
    expect([metric, bench.sum(metric, 'blue'), bench.sum(metric)]).toEqual([metric, sum, sum]);
  }
  expect(bench.sum('HTTPCode_ELB_5XX_Count')).toBe(0);
  expect(bench.sum('ProcessedBytes')).toBeGreaterThan(500);
});

describe('a probe', () => {
  test('says what came of it', async () => {
    const healthy = await started((incoming, response) => {
      response.statusCode = incoming.headers['user-agent'] === 'ELB-HealthChecker/2.0' ? 200 : 400;
      response.end();
    });
    const hanging = await started(() => {});
    const gone = await named('gone');
    await gone.close();
    apps = apps.filter((one) => one !== gone);
    const probe = (one: App) =>
      bench.balancer.probe({ address: one.address, path: '/', timeoutMs: 200, host: '10.0.0.1:80' });
    expect(await probe(healthy)).toEqual({ kind: 'answered', status: 200 });
    expect(await probe(hanging)).toEqual({ kind: 'timedOut' });
    expect(await probe(gone)).toEqual({ kind: 'failed' });
  });
});
