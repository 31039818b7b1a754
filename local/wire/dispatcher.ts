/**
 * The front of the embedded AWS: who calls, which service and operation, is the request whole, may they, run it, answer.
 * The same way serves the wire (`handle`) and callers in this process (`call`), which only skip encoding.
 */
import { randomUUID } from 'node:crypto';
import { gunzipSync } from 'node:zlib';
import { AwsError, type Call, type Principal } from '../call.ts';
import type { Clock } from '../clock.ts';
import type { Authorization } from '../iam/authorization.ts';
import type { Authorizer } from '../iam/authorizer.ts';
import { authorizationsOf } from '../iam/resources.ts';
import type { CallLog, Hook, PendingCall } from './call-log.ts';
import { credentialScope } from './credential.ts';
import { failureOf } from './failure.ts';
import { awsJson } from './json.ts';
import { ConnectionLost, type WireRequest, type WireResponse } from './message.ts';
import { type OperationModel, readModel, type ServiceModel } from './model.ts';
import type { Protocol, Route } from './protocol.ts';
import { awsQuery } from './query.ts';
import { missingMembers } from './required.ts';
import { isRaw, type ModelledService, type RawService, type ServiceEntry } from './service-entry.ts';
import { missingMembersError } from './validation.ts';

export interface DispatcherOptions {
  readonly entries: readonly ServiceEntry[];
  readonly authorizer: Authorizer;
  readonly principalOf: (accessKeyId: string) => Principal;
  readonly calls: CallLog;
  readonly clock: Clock;
  /** `http://127.0.0.1:PORT`, for calls in process. */
  readonly endpoint: () => string;
  /** Told of every exception that is not an AWS error: a fault of the embedded AWS itself. */
  readonly onFailure: (failure: unknown) => void;
}

type Operation = (input: unknown, call: Call) => unknown;

/** A call that was read and authorized as far as its caller is known. */
interface Prepared {
  readonly service: string;
  readonly operation: string;
  readonly input: unknown;
  readonly authorizations: readonly Authorization[];
}

export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #entries = new Map<string, ServiceEntry>();
  readonly #models = new Map<string, Promise<ServiceModel>>();

  constructor(options: DispatcherOptions) {
    this.#options = options;
    for (const entry of options.entries) this.add(entry);
  }

  /** Adds a service later: CloudFormation is itself a caller of the others. */
  add(entry: ServiceEntry): void {
    this.#entries.set(entry.signingName, entry);
  }

  /** Loads the models of all services but the heavy ones, which else happens at their first call. */
  async load(): Promise<void> {
    const entries = [...this.#entries.values()];
    await Promise.all(
      entries.map(async (entry) => {
        if (!isRaw(entry) && entry.heavySchemas !== true) await this.#model(entry);
      }),
    );
  }

  /**
   * Answers a request of the wire. Rejects only with `ConnectionLost`, when a hook wants no answer to be given. `hook` is for
   * this request alone, beside those of the log.
   */
  async handle(raw: WireRequest, hook?: Hook): Promise<WireResponse> {
    const requestId = randomUUID();
    const scope = credentialScope(raw);
    const entry = this.#entries.get(scope?.service ?? '');
    const answer = async (): Promise<WireResponse> => {
      const request = inflated(raw);
      const principal = scope === undefined ? undefined : this.#options.principalOf(scope.accessKeyId);
      if (entry !== undefined && isRaw(entry)) return this.#handleRaw(entry, request, principal, requestId);
      return this.#handleModelled(entry, scope?.service, request, principal, requestId, hook);
    };
    const response = isLongPoll(entry, raw) ? await answer() : await this.#options.clock.busy(answer);
    return { ...response, headers: { date: this.#httpDate(), ...response.headers } };
  }

  /**
   * Calls an operation in process. `service` is the signing name, `input` in the SDK's shape. Rejects with the
   * operation's own error, be it an `AwsError` or a fault.
   */
  async call(service: string, operation: string, input: object, principal: Principal): Promise<unknown> {
    const entry = this.#entries.get(service);
    if (entry === undefined || isRaw(entry)) throw unknownService(service);
    return this.#options.clock.busy(async () => {
      const run = operationOf(entry, operation);
      const model = entry.heavySchemas ? undefined : (await this.#model(entry)).operations.get(operation);
      const prepared = prepare(entry, operation, input);
      const call = { principal, requestId: randomUUID(), endpoint: this.#options.endpoint() };
      return this.#perform(prepared, call, async () => {
        if (model !== undefined) checkRequired(entry, model, input);
        return run(input, call);
      });
    });
  }

  async #handleModelled(
    entry: ModelledService | undefined,
    service: string | undefined,
    request: WireRequest,
    principal: Principal | undefined,
    requestId: string,
    hook: Hook | undefined,
  ): Promise<WireResponse> {
    let protocol = protocolLike(request);
    let model: ServiceModel | undefined;
    try {
      if (principal === undefined || service === undefined) throw missingAuthenticationToken();
      if (entry === undefined) throw unknownService(service);
      model = await this.#model(entry);
      const spoken = speak(entry, request, model);
      protocol = spoken.protocol;
      const { route } = spoken;
      const run = operationOf(entry, route.operation);
      const operation = model.operations.get(route.operation);
      if (operation === undefined) throw unknownOperation(entry.signingName, route.operation);
      const input = await protocol.decode(operation, request, route);
      const call = { principal, requestId, endpoint: request.endpoint };
      const perform = async (): Promise<unknown> => {
        checkRequired(entry, operation, input);
        return run(input, call);
      };
      const output = await this.#perform(prepare(entry, route.operation, input), call, perform, hook);
      return protocol.encode(operation, output, requestId);
    } catch (failure) {
      return protocol.encodeError(failureOf(this.#awsError(failure), protocol.family, model), requestId);
    }
  }

  async #handleRaw(
    entry: RawService,
    request: WireRequest,
    principal: Principal | undefined,
    requestId: string,
  ): Promise<WireResponse> {
    try {
      if (principal === undefined) throw missingAuthenticationToken();
      const raw = entry.read(request);
      const call = { principal, requestId, endpoint: request.endpoint };
      return await this.#perform({ ...raw, service: entry.signingName }, call, async () => raw.run(call));
    } catch (failure) {
      return entry.encodeError(failureOf(this.#awsError(failure), 's3', undefined), requestId, request);
    }
  }

  /** Authorizes, runs and records a call, with the log's hooks around what it does. */
  async #perform<T>(prepared: Prepared, call: Call, run: () => Promise<T>, hook?: Hook): Promise<T> {
    const { calls, clock, authorizer } = this.#options;
    const { service, operation, input, authorizations } = prepared;
    const resources = authorizations[0]?.resources ?? ['*'];
    const { principal, requestId } = call;
    const pending: PendingCall = {
      requestId,
      at: clock.now(),
      service,
      operation,
      principal,
      resources,
      input,
    };
    const record = (error?: string): void => {
      const { input: _, ...kept } = pending;
      calls.record({
        ...kept,
        durationMs: clock.now() - pending.at,
        ...(error === undefined ? {} : { error }),
      });
    };
    try {
      for (const authorization of authorizations) authorizer.authorize({ principal, ...authorization });
      await hook?.before?.(pending);
      await calls.before(pending);
      const output = await run();
      await calls.after(pending);
      await hook?.after?.(pending);
      record();
      return output;
    } catch (failure) {
      record(
        failure instanceof AwsError || failure instanceof ConnectionLost ? failure.name : 'InternalFailure',
      );
      throw failure;
    }
  }

  #awsError(failure: unknown): AwsError {
    if (failure instanceof AwsError) return failure;
    if (failure instanceof ConnectionLost) throw failure;
    this.#options.onFailure(failure);
    const message = 'The request processing has failed because of an unknown error, exception or failure.';
    return new AwsError('InternalFailure', message, { status: 500 });
  }

  #model(entry: ModelledService): Promise<ServiceModel> {
    let model = this.#models.get(entry.signingName);
    if (model === undefined) {
      model = entry.schemas().then(readModel);
      this.#models.set(entry.signingName, model);
    }
    return model;
  }

  #httpDate(): string {
    return new Date(this.#options.clock.now()).toUTCString();
  }
}

/** SDKs compress large requests of some operations, such as PutMetricData. */
function inflated(request: WireRequest): WireRequest {
  return request.headers['content-encoding'] === 'gzip'
    ? { ...request, body: gunzipSync(request.body) }
    : request;
}

function isLongPoll(entry: ServiceEntry | undefined, request: WireRequest): boolean {
  if (entry === undefined || isRaw(entry) || entry.longPolls === undefined) return false;
  const operation = request.headers['x-amz-target']?.split('.').at(-1);
  return operation !== undefined && entry.longPolls.includes(operation);
}

function speak(
  entry: ModelledService,
  request: WireRequest,
  model: ServiceModel,
): { protocol: Protocol; route: Route } {
  for (const protocol of entry.protocols) {
    const route = protocol.route(request, model);
    if (route !== undefined) return { protocol, route };
  }
  throw new AwsError(
    'UnknownOperationException',
    `The embedded AWS finds no operation of ${entry.signingName} in ${request.method} ${request.path}: ` +
      `it speaks ${entry.protocols.map(({ family }) => family).join(' and ')} to this service.`,
    { status: 404 },
  );
}

/** How to answer a request whose service is not known: in the format it came in. */
function protocolLike(request: WireRequest): Protocol {
  return request.headers['x-amz-target'] === undefined ? awsQuery('') : awsJson('1.1');
}

function operationOf(entry: ModelledService, name: string): Operation {
  if (!Object.hasOwn(entry.operations, name)) throw unknownOperation(entry.signingName, name);
  // The model's input schema, or the caller in process, vouches for the input's type.
  return entry.operations[name] as Operation;
}

function prepare(entry: ModelledService, operation: string, input: unknown): Prepared {
  const { signingName: service, iamPrefix = service } = entry;
  const [primary, ...further] = authorizationsOf(
    iamPrefix,
    operation,
    (input ?? {}) as Record<string, unknown>,
  );
  const own = entry.resources?.(operation, input);
  const authorizations = [
    ...(primary === undefined ? [] : [own === undefined ? primary : { ...primary, resources: own }]),
    ...further,
  ];
  return { service, operation, input, authorizations };
}

function checkRequired(entry: ModelledService, operation: OperationModel, input: unknown): void {
  const missing = missingMembers(operation.input, input);
  if (missing.length > 0) throw missingMembersError(entry.signingName, missing);
}

function unknownOperation(service: string, operation: string): AwsError {
  return new AwsError('UnknownOperationException', `The embedded AWS does not have ${service} ${operation}.`);
}

function unknownService(service: string): AwsError {
  return new AwsError(
    'UnknownOperationException',
    `The embedded AWS does not have the service "${service}".`,
  );
}

function missingAuthenticationToken(): AwsError {
  return new AwsError('MissingAuthenticationTokenException', 'Request is missing Authentication Token');
}
