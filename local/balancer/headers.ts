/** Headers on their way through: what ends at a hop is taken off, what the load balancer tells targets is put on. */

import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { ListenerSettings } from './protocol.ts';

/** RFC 9110, 7.6.1. `expect` was answered by the listener itself. */
const hopByHop = new Set([
  'connection',
  'expect',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Replaced or extended by the load balancer. */
const forwarded = new Set(['x-forwarded-for', 'x-forwarded-port', 'x-forwarded-proto', 'x-amzn-trace-id']);

const validName = /^[A-Za-z0-9-]+$/;

/** The headers that a target gets, flat: name, value, name, value. */
export function towardsTarget(request: IncomingMessage, listener: ListenerSettings): string[] {
  const raw = request.rawHeaders;
  const headers: string[] = [];
  const own = namedByConnection(request.headers.connection);
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index]!;
    const lower = name.toLowerCase();
    if (hopByHop.has(lower) || forwarded.has(lower) || own.has(lower)) continue;
    if (listener.dropInvalidHeaders && !validName.test(name)) continue;
    headers.push(name, raw[index + 1]!);
  }
  headers.push(...forwardedHeaders(request, listener));
  return headers;
}

/** The answer's headers as they came, without those that end here. */
export function towardsClient(raw: readonly (Buffer | string)[]): string[] {
  const text = raw.map((part) => (typeof part === 'string' ? part : part.toString('latin1')));
  const connection: string[] = [];
  for (let index = 0; index < text.length; index += 2) {
    if (text[index]!.toLowerCase() === 'connection') connection.push(text[index + 1]!);
  }
  const own = namedByConnection(connection.join(','));
  const headers: string[] = [];
  for (let index = 0; index < text.length; index += 2) {
    const lower = text[index]!.toLowerCase();
    if (!hopByHop.has(lower) && !own.has(lower)) headers.push(text[index]!, text[index + 1]!);
  }
  return headers;
}

/** X-Forwarded-For in its default mode (append), -Proto, -Port and the trace id. */
export function forwardedHeaders(request: IncomingMessage, listener: ListenerSettings): string[] {
  const client = (request.socket.remoteAddress ?? '').replace(/^::ffff:/, '');
  const before = request.headersDistinct['x-forwarded-for']?.join(', ');
  return [
    'X-Forwarded-For',
    before === undefined ? client : `${before}, ${client}`,
    'X-Forwarded-Proto',
    listener.protocol,
    'X-Forwarded-Port',
    String(listener.port),
    'X-Amzn-Trace-Id',
    traceId(request.headersDistinct['x-amzn-trace-id']?.[0]),
  ];
}

/** A request that brings a root keeps it; the balancer puts itself before it as `Self`. */
function traceId(given: string | undefined): string {
  const seconds = Math.floor(Date.now() / 1000)
    .toString(16)
    .padStart(8, '0');
  const id = `1-${seconds}-${randomBytes(12).toString('hex')}`;
  if (given === undefined) return `Root=${id}`;
  return given.includes('Root=') ? `Self=${id};${given}` : `Root=${id};${given}`;
}

function namedByConnection(connection: string | undefined): Set<string> {
  return new Set((connection ?? '').split(',').map((name) => name.trim().toLowerCase()));
}
