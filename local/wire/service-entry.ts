/** What the dispatcher must know of a service to serve it. */
import type { Call, Operations } from '../call.ts';
import type { Authorization } from '../iam/authorization.ts';
import type { Failure } from './failure.ts';
import type { WireRequest, WireResponse } from './message.ts';
import type { Protocol } from './protocol.ts';

/** A service whose requests are decoded and answers encoded from the SDK package's schemas. */
export interface ModelledService {
  /** As SigV4's credential scope names it: `elasticloadbalancing`, `monitoring`. */
  readonly signingName: string;
  /** Tried in order; the first that finds an operation in the request speaks. */
  readonly protocols: readonly Protocol[];
  /** The module namespace of the `@aws-sdk/client-*` package, loaded on first use. */
  readonly schemas: () => Promise<object>;
  readonly operations: Operations;
  /** The service's name in IAM actions; default: the signing name. */
  readonly iamPrefix?: string;
  /** The ARNs an operation acts on, where only the service knows them; else those of `local/iam/resources.ts` count. */
  readonly resources?: (operation: string, input: unknown) => readonly string[] | undefined;
  /** Operations that wait for something to come: they do not hold the clock. */
  readonly longPolls?: readonly string[];
  /** Schemas too heavy to load for calls in process, which then skip the check of required members. */
  readonly heavySchemas?: true;
}

/** One call of a raw service, read from the wire and not yet run. */
export interface RawCall {
  readonly operation: string;
  readonly input: unknown;
  readonly authorizations: readonly Authorization[];
  run(call: Call): WireResponse | Promise<WireResponse>;
}

/** A service that reads and writes its own wire format (S3). */
export interface RawService {
  readonly signingName: string;
  /** Throws `AwsError` for requests that it cannot read. */
  read(request: WireRequest): RawCall;
  encodeError(failure: Failure, requestId: string, request: WireRequest): WireResponse;
}

export type ServiceEntry = ModelledService | RawService;

export function isRaw(entry: ServiceEntry): entry is RawService {
  return 'read' in entry;
}
