/** A request and its answer as the wire carries them, free of node:http, so that calls in process take the same way. */

export interface WireRequest {
  readonly method: string;
  /** Still percent-encoded, without the query. */
  readonly path: string;
  /** Still percent-encoded, without `?`. */
  readonly query: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  /** `http://127.0.0.1:PORT`, as in `Call`. */
  readonly endpoint: string;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array;
  /** The body is one that SDKs read as a stream (S3 objects). */
  readonly streaming?: true;
}

/** Thrown by a hook of the call log: the caller gets no answer at all, as when a connection breaks. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}
