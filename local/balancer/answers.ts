/** Answers that the load balancer makes itself. */

import { type IncomingMessage, type ServerResponse, STATUS_CODES } from 'node:http';
import type {
  FixedResponseActionConfig,
  RedirectActionConfig,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import type { Asked } from './rule-matching.ts';

/** As real load balancers name themselves. */
const server = 'awselb/2.0';

/** Status texts of codes that are AWS's own (ELB guide, "HTTP error codes"). */
const ownTexts: Readonly<Record<number, string>> = { 460: '', 463: '', 561: 'Unauthorized' };

function title(status: number): string {
  return `${status} ${STATUS_CODES[status] ?? ownTexts[status] ?? ''}`.trim();
}

function page(status: number): string {
  return `<html>\r\n<head><title>${title(status)}</title></head>\r\n<body>\r\n<center><h1>${title(status)}</h1></center>\r\n</body>\r\n</html>\r\n`;
}

/** An error of the load balancer's. What is left of the request's body is read and thrown away. */
export function refuse(request: IncomingMessage, response: ServerResponse, status: number): void {
  request.unpipe();
  request.resume();
  const body = page(status);
  response.writeHead(status, {
    Server: server,
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
}

/** The same error for a connection that is no longer HTTP's: an upgrade that failed, a request that cannot be read. */
export function rawRefusal(status: number): string {
  const body = page(status);
  return `HTTP/1.1 ${title(status)}\r\nServer: ${server}\r\nContent-Type: text/html\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`;
}

export function answerFixed(response: ServerResponse, fixed: FixedResponseActionConfig): number {
  const body = fixed.MessageBody ?? '';
  const status = Number(fixed.StatusCode);
  response.writeHead(status, {
    Server: server,
    'Content-Type': fixed.ContentType ?? 'text/plain',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
  return status;
}

/** `#{port}` becomes the port that the client really came to, so that redirects lead somewhere on this machine too. */
export function answerRedirect(
  response: ServerResponse,
  redirect: RedirectActionConfig,
  asked: Asked,
  came: { readonly protocol: string; readonly port: number },
): number {
  const known: Readonly<Record<string, string>> = {
    protocol: came.protocol,
    host: asked.host,
    port: String(came.port),
    path: asked.path.slice(1),
    query: asked.query.toString(),
  };
  const fill = (text: string) => text.replace(/#\{(\w+)\}/g, (whole, name: string) => known[name] ?? whole);
  const protocol = fill(redirect.Protocol ?? '#{protocol}').toLowerCase();
  const port = fill(redirect.Port ?? '#{port}');
  const query = fill(redirect.Query ?? '#{query}');
  const implied = (protocol === 'http' && port === '80') || (protocol === 'https' && port === '443');
  const origin = `${protocol}://${fill(redirect.Host ?? '#{host}')}${implied ? '' : `:${port}`}`;
  const location = `${origin}${fill(redirect.Path ?? '/#{path}')}${query === '' ? '' : `?${query}`}`;
  const status = redirect.StatusCode === 'HTTP_301' ? 301 : 302;
  const body = page(status);
  response.writeHead(status, {
    Server: server,
    Location: location,
    'Content-Type': 'text/html',
    'Content-Length': Buffer.byteLength(body),
  });
  response.end(body);
  return status;
}
