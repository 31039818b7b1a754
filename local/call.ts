/**
 * What an operation of the embedded AWS is: one typed function from the SDK's input shape to its output shape.
 * The wire (`local/wire`) decodes and encodes; services know nothing of HTTP.
 */

/** Who calls: a role's session, by the credentials that signed the request, or the account's root. */
export type Principal =
  | { readonly kind: 'root' }
  | { readonly kind: 'role'; readonly roleArn: string; readonly session: string }
  /** AWS itself, acting by a service-linked role, such as ECS registering targets. */
  | { readonly kind: 'service'; readonly service: string };

export interface Call {
  readonly principal: Principal;
  readonly requestId: string;
  /** The endpoint that the request came to, `http://127.0.0.1:PORT`: queue URLs and the like are made from it. */
  readonly endpoint: string;
}

/**
 * Operations by their API names (`CreateService`). `input` is the SDK's `…CommandInput`, already checked for required
 * members; what is returned is the SDK's `…CommandOutput` without `$metadata`.
 */
export type Operations = Readonly<Record<string, (input: never, call: Call) => unknown>>;

/** An output as an operation returns it: the SDK's output shape less what the client adds. */
export type Output<T> = Omit<T, '$metadata'>;

/**
 * An error as AWS answers it. `code` is the name of the error's shape in the service's model (the SDK's class name),
 * from which the wire takes the protocol's own code and status; `status` is for errors that the model does not name.
 */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further members of the error's shape. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    code: string,
    message: string,
    options: { status?: number; members?: Record<string, unknown> } = {},
  ) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = options.status ?? 400;
    this.members = options.members ?? {};
  }
}
