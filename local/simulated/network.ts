/** The way of a function's calls to the embedded AWS, in process, with latency on the clock and with the faults that a plan names. */
import { AwsError } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Hook } from '../wire/call-log.ts';
import { credentialScope } from '../wire/credential.ts';
import type { Dispatcher } from '../wire/dispatcher.ts';
import type { WireRequest, WireResponse } from '../wire/message.ts';
import { InProcessHandler } from '../wire/request-handler.ts';

/** One call of a function, before it is made. */
export interface CallPoint {
  /** The function's entry: `shift`. */
  readonly caller: string;
  /** The signing name. */
  readonly service: string;
  readonly operation: string;
  /** 1 for the first call of this operation by this function in this world. */
  readonly nth: number;
  /** An equal call was answered before: it may be answered so again. */
  readonly readBefore: boolean;
}

export type CallFault =
  /** Answered with an error, without effect. */
  | 'throttled'
  | 'unavailable'
  /** The connection breaks before the request arrives; or after its effect, before the answer. */
  | 'lostRequest'
  | 'lostAnswer'
  /** The function's process dies before the request leaves; or after its effect. */
  | 'crashBefore'
  | 'crashAfter'
  /** As an equal call was answered before things changed; one that was never answered otherwise is answered as it is. */
  | 'stale'
  /** The caller sees a broken connection at once; the request arrives all the same, so much later. */
  | { readonly lateMs: number }
  /** AWS understands and says no. */
  | 'refused';

export interface Caller {
  readonly name: string;
  /** Its process is gone: nothing that it began is answered any more. */
  readonly gone: boolean;
  crash(): void;
}

export interface NetworkOptions {
  readonly clock: Clock;
  readonly dispatcher: () => Dispatcher;
  readonly endpoint: string;
  readonly random: () => number;
  readonly faultOf: (point: CallPoint) => CallFault | undefined;
}

/** One way, in milliseconds: a call within a Region takes 5 to 30 there and back. */
const latencyMs = { least: 2, most: 15 };

export class Network {
  readonly #options: NetworkOptions;
  readonly #counts = new Map<string, number>();
  /** Of equal calls: the answer that holds now, and the other one before it. */
  readonly #answers = new Map<string, { readonly now: WireResponse; readonly before?: WireResponse }>();

  constructor(options: NetworkOptions) {
    this.#options = options;
  }

  /** What the caller's SDK clients send their requests by. */
  handlerOf(caller: Caller): InProcessHandler {
    return new InProcessHandler({
      dispatcher: { handle: (request) => this.#send(request, caller) },
      endpoint: () => this.#options.endpoint,
    });
  }

  async #send(request: WireRequest, caller: Caller): Promise<WireResponse> {
    if (caller.gone) return never();
    const point = this.#point(request, caller);
    const fault = this.#options.faultOf(point);
    if (fault === 'crashBefore') {
      caller.crash();
      return never();
    }
    await this.#way();
    if (fault === 'lostRequest') throw broken();
    if (typeof fault === 'object') {
      this.#options.clock.after(fault.lateMs, async () => void (await this.#dispatch(request)));
      throw broken();
    }
    const response = await this.#dispatch(request, hookFor(fault, point));
    if (fault === 'crashAfter') {
      caller.crash();
      return never();
    }
    if (fault === 'lostAnswer') throw broken();
    const key = keyOf(point, request);
    const old = fault === 'stale' ? this.#older(key, response) : undefined;
    if (old !== undefined) return old;
    if (response.status < 500) this.#remember(key, response);
    await this.#way();
    return caller.gone ? never() : response;
  }

  /** What an equal call was answered before it came to be as it is now. */
  #older(key: string, real: WireResponse): WireResponse | undefined {
    const known = this.#answers.get(key);
    return known !== undefined && textOf(known.now) !== textOf(real) ? known.now : known?.before;
  }

  #remember(key: string, now: WireResponse): void {
    const known = this.#answers.get(key);
    if (known === undefined) this.#answers.set(key, { now });
    else if (textOf(known.now) !== textOf(now)) this.#answers.set(key, { now, before: known.now });
  }

  async #dispatch(request: WireRequest, hook?: Hook): Promise<WireResponse> {
    return this.#options.dispatcher().handle(request, hook);
  }

  async #way(): Promise<void> {
    const { clock, random } = this.#options;
    await clock.sleep(Math.round(latencyMs.least + random() * (latencyMs.most - latencyMs.least)));
  }

  #point(request: WireRequest, { name }: Caller): CallPoint {
    const service = credentialScope(request)?.service ?? 'unsigned';
    const operation =
      request.headers['x-amz-target']?.split('.').at(-1) ??
      new URLSearchParams(Buffer.from(request.body).toString()).get('Action') ??
      (request.path.endsWith('/invocations') ? 'Invoke' : 'unknown');
    const key = `${name} ${service} ${operation}`;
    const nth = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, nth);
    const readBefore = this.#answers.has(keyOf({ service, operation }, request));
    return { caller: name, service, operation, nth, readBefore };
  }
}

/** A function whose process is gone waits for ever. */
function never(): Promise<never> {
  return new Promise(() => undefined);
}

function broken(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

/** Without the id of the request, which is another one each time. */
function textOf({ body }: WireResponse): string {
  // A plain view of the bytes: the SDK dresses its own up with string methods that warn.
  const text =
    typeof body === 'string' ? body : Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
  return text.replace(/<RequestId>[^<]*<\/RequestId>/, '');
}

function keyOf(
  { service, operation }: Pick<CallPoint, 'service' | 'operation'>,
  { body }: WireRequest,
): string {
  return `${service} ${operation} ${Buffer.from(body).toString()}`;
}

/** What AWS itself answers instead of what was asked. */
function hookFor(fault: CallFault | undefined, { service, operation }: CallPoint): Hook | undefined {
  if (fault === 'throttled') return answering(throttling(service));
  if (fault === 'unavailable')
    return answering(new AwsError('ServiceUnavailable', 'Service is unavailable', { status: 503 }));
  if (fault !== 'refused') return undefined;
  const words = `User is not authorized to perform: ${service}:${operation}`;
  return answering(new AwsError('AccessDenied', words, { status: 403 }));
}

function answering(error: AwsError): Hook {
  return {
    before: () => {
      throw error;
    },
  };
}

/** ELB throttles with HTTP 400 and a code of its own. */
function throttling(service: string): AwsError {
  return service === 'elasticloadbalancing'
    ? new AwsError('Throttling', 'Rate exceeded', { status: 400 })
    : new AwsError('ThrottlingException', 'Rate exceeded', { status: 400 });
}
