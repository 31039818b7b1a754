/** The pre-signed URLs that custom resources answer to: `PUT /cloudformation/response/<id>` on the embedded AWS's own port. */
import { randomUUID } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../../clock.ts';
import { isObject, type Json } from './json.ts';

const path = '/cloudformation/response/';

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-responses.html */
const maxBytes = 4096;

/** What a custom resource answers. */
export interface CustomResponse {
  readonly Status: 'SUCCESS' | 'FAILED';
  readonly Reason?: string;
  readonly PhysicalResourceId?: string;
  readonly NoEcho?: boolean;
  readonly Data?: Readonly<Record<string, Json>>;
}

type Answer = CustomResponse | Error;

export class CustomResponses {
  readonly #clock: Clock;
  readonly #endpoint: () => string;
  readonly #waiting = new Map<string, (answer: Answer) => void>();

  constructor(options: { clock: Clock; endpoint: () => string }) {
    this.#clock = options.clock;
    this.#endpoint = options.endpoint;
  }

  /** Hands a URL to `ask` and waits for the answer, at most `limitMs` of the clock. */
  async expect(
    limitMs: number,
    ask: (responseUrl: string) => Promise<unknown>,
  ): Promise<CustomResponse | 'timeout'> {
    const id = randomUUID();
    let timeOut: () => void = () => undefined;
    const answered = new Promise<Answer | 'timeout'>((resolve) => {
      this.#waiting.set(id, resolve);
      timeOut = () => resolve('timeout');
    });
    const timer = this.#clock.after(limitMs, timeOut);
    try {
      await ask(`${this.#endpoint()}${path}${id}`);
      const answer = await answered;
      if (answer instanceof Error) throw answer;
      return answer;
    } finally {
      timer.cancel();
      this.#waiting.delete(id);
    }
  }

  /** Takes the request if it is for this path; `false` leaves it to others. */
  handle(request: IncomingMessage, response: ServerResponse): boolean {
    const url = (request.url ?? '').split('?')[0]!;
    if (!url.startsWith(path)) return false;
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const known =
        request.method === 'PUT' && this.receive(url.slice(path.length), Buffer.concat(chunks).toString());
      response.writeHead(known ? 200 : 403).end();
    });
    return true;
  }

  /** An answer's text. The first one counts; `false` when nobody waits for it any more. */
  receive(id: string, body: string): boolean {
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return false;
    this.#waiting.delete(id);
    waiting(read(body));
    return true;
  }
}

function read(body: string): Answer {
  if (Buffer.byteLength(body) > maxBytes) return new Error('Response object is too long.');
  let parsed: unknown;
  try {
    parsed = JSON.parse(body);
  } catch {
    return new Error('Invalid response: not well-formed JSON');
  }
  if (!isObject(parsed)) return new Error('Invalid response: not an object');
  if (parsed['Status'] !== 'SUCCESS' && parsed['Status'] !== 'FAILED') return new Error('Invalid Status');
  return parsed as unknown as CustomResponse;
}
