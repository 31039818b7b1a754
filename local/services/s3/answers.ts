/** The answers that several of S3's operations share. */
import { region } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { WireResponse } from '../../wire/message.ts';
import { xmlDeclaration } from '../../wire/xml.ts';
import type { StoredObject } from './buckets.ts';

/** The namespace of S3's documents, as an attribute. */
export const xmlns = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"';

export function xml(body: string): WireResponse {
  return { status: 200, headers: { 'content-type': 'application/xml' }, body: xmlDeclaration + body };
}

export function empty(status: number, headers: Record<string, string> = {}): WireResponse {
  return { status, headers, body: '' };
}

export function bucketFound(): WireResponse {
  return empty(200, { 'x-amz-bucket-region': region });
}

/** An object, or the part of it that `Range` asks for. */
export function objectBody(object: StoredObject, range: string | undefined): WireResponse {
  const headers = objectHead(object).headers;
  const bounds = boundsOf(range, object.body.byteLength);
  if (bounds === undefined) return { status: 200, headers, body: object.body, streaming: true };
  const [first, last] = bounds;
  return {
    status: 206,
    headers: {
      ...headers,
      'content-length': String(last - first + 1),
      'content-range': `bytes ${first}-${last}/${object.body.byteLength}`,
    },
    body: object.body.subarray(first, last + 1),
    streaming: true,
  };
}

export function objectHead(object: StoredObject): WireResponse {
  return empty(200, {
    'content-type': 'binary/octet-stream',
    ...object.headers,
    etag: object.etag,
    'last-modified': object.lastModified.toUTCString(),
    'accept-ranges': 'bytes',
    'content-length': String(object.body.byteLength),
  });
}

/** First and last byte; undefined for the whole. */
function boundsOf(range: string | undefined, length: number): readonly [number, number] | undefined {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined) return undefined;
  const end = last === undefined || last === '' ? length - 1 : Math.min(Number(last), length - 1);
  if (Number(first) > end) {
    throw new AwsError('InvalidRange', 'The requested range is not satisfiable', { status: 416 });
  }
  return [Number(first), end];
}
