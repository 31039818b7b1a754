/** A request to S3, path-style (`/bucket/key?query`), read as far as every operation needs it. */
import type { WireRequest } from '../../wire/message.ts';
import { decodeAwsChunked, isAwsChunked } from './aws-chunked.ts';

export interface S3Request {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string>>;
  /** Decoded when it is asked for. */
  readonly body: () => Uint8Array;
}

export function readS3Request(request: WireRequest): S3Request {
  const path = decodeURIComponent(request.path).replace(/^\//, '');
  const slash = path.indexOf('/');
  const [bucket, key] = slash === -1 ? [path, ''] : [path.slice(0, slash), path.slice(slash + 1)];
  return {
    method: request.method,
    bucket,
    key,
    query: new URLSearchParams(request.query),
    headers: request.headers,
    body: () => (isAwsChunked(request.headers) ? decodeAwsChunked(request.body) : request.body),
  };
}

const keptHeaders = ['content-type', 'content-disposition', 'content-language', 'cache-control', 'expires'];

/** The headers of a PUT that come back with a GET. */
export function objectHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (keptHeaders.includes(name) || name.startsWith('x-amz-meta-')) kept[name] = value;
  }
  // `aws-chunked` describes the transfer, not the object.
  const encodings = (headers['content-encoding'] ?? '')
    .split(',')
    .map((encoding) => encoding.trim())
    .filter((encoding) => encoding !== '' && encoding !== 'aws-chunked');
  if (encodings.length > 0) kept['content-encoding'] = encodings.join(',');
  return kept;
}
