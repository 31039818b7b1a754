/** An upgraded connection (WebSocket): after the handshake bytes go through as they are, both ways, until one side ends. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { rawRefusal } from './answers.ts';
import type { Route } from './forward.ts';
import { forwardedHeaders } from './headers.ts';

const replaced = new Set(['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id']);

/** `head` is what the client sent after its handshake and came in with it. */
export function tunnel(request: IncomingMessage, client: Duplex, head: Buffer, route: Route): void {
  const { listener, target, targetGroupArn, counters } = route;
  counters.target(listener.loadBalancerArn, targetGroupArn, 'RequestCount');
  target.inFlight += 1;
  const upstream = target.connect();
  let connected = false;
  let answered = false;
  let sentAt = 0;

  upstream.setTimeout(listener.idleTimeoutMs, () => upstream.destroy());
  upstream.on('connect', () => {
    connected = true;
    sentAt = performance.now();
    upstream.write(handshake(request, route));
    if (head.length > 0) upstream.write(head);
    client.pipe(upstream);
  });
  upstream.once('data', (first: Buffer) => {
    answered = true;
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(first.toString('latin1', 0, 16))?.[1] ?? 502);
    const seconds = (performance.now() - sentAt) / 1000;
    counters.answered(listener.loadBalancerArn, targetGroupArn, status, seconds);
    client.write(withCookies(first, route.cookies));
    upstream.pipe(client);
  });
  // Errors end in 'close', where what they mean is decided.
  upstream.on('error', () => {});
  client.on('error', () => {});
  client.on('close', () => upstream.destroy());
  upstream.on('close', () => {
    target.inFlight -= 1;
    if (!answered && !client.destroyed) {
      if (!connected) counters.target(listener.loadBalancerArn, targetGroupArn, 'TargetConnectionErrorCount');
      counters.made(listener.loadBalancerArn, 502);
      client.end(rawRefusal(502));
    } else {
      client.destroy();
    }
  });
}

function handshake(request: IncomingMessage, route: Route): string {
  const lines = [`${request.method} ${request.url} HTTP/1.1`];
  const headers = [...request.rawHeaders];
  for (let index = 0; index < headers.length; index += 2) {
    if (!replaced.has(headers[index]!.toLowerCase())) lines.push(`${headers[index]}: ${headers[index + 1]}`);
  }
  const added = forwardedHeaders(request, route.listener);
  for (let index = 0; index < added.length; index += 2) lines.push(`${added[index]}: ${added[index + 1]}`);
  return `${lines.join('\r\n')}\r\n\r\n`;
}

function withCookies(first: Buffer, cookies: readonly string[]): Buffer {
  const end = first.indexOf('\r\n');
  if (cookies.length === 0 || end === -1) return first;
  const lines = cookies.map((cookie) => `\r\nSet-Cookie: ${cookie}`).join('');
  return Buffer.concat([first.subarray(0, end), Buffer.from(lines), first.subarray(end)]);
}
