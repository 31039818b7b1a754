/** What each wire protocol does for the dispatcher. */
import type { Failure, Family } from './failure.ts';
import type { WireRequest, WireResponse } from './message.ts';
import type { OperationModel, ServiceModel } from './model.ts';

export interface Route {
  readonly operation: string;
  /** Path labels of REST protocols, decoded. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Protocol {
  readonly family: Family;
  /** Which operation a request asks for; undefined when nothing in the request says so. */
  route(request: WireRequest, model: ServiceModel | undefined): Route | undefined;
  /** The operation's input in the SDK's shape. Rejects with `AwsError` when the request cannot be read. */
  decode(operation: OperationModel, request: WireRequest, route: Route): Promise<unknown>;
  encode(operation: OperationModel, output: unknown, requestId: string): WireResponse;
  encodeError(failure: Failure, requestId: string): WireResponse;
}
