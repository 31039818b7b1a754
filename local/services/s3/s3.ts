/**
 * S3 for assets: buckets, objects, listings, multipart uploads, path-style only. No versions, policies, ACLs, copies or
 * notifications. REST XML is written by hand here: a dozen small documents.
 */
import { partition } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { Failure } from '../../wire/failure.ts';
import type { WireRequest, WireResponse } from '../../wire/message.ts';
import type { RawCall, RawService } from '../../wire/service-entry.ts';
import { escapeXml, xmlDeclaration } from '../../wire/xml.ts';
import type { Buckets } from './buckets.ts';
import { MultipartUploads } from './multipart.ts';
import { type S3Operation, s3Operations } from './operations.ts';
import { readS3Request, type S3Request } from './s3-request.ts';

export class S3 implements RawService {
  readonly signingName = 's3';
  readonly #operations: readonly S3Operation[];

  constructor(options: { buckets: Buckets }) {
    this.#operations = s3Operations(options.buckets, new MultipartUploads());
  }

  read(wire: WireRequest): RawCall {
    const request = readS3Request(wire);
    const { bucket, key, method, query } = request;
    const on = bucket === '' ? 'service' : key === '' ? 'bucket' : 'object';
    const operation = this.#operations.find(
      (each) =>
        each.method === method && each.on === on && (each.query === undefined || query.has(each.query)),
    );
    if (operation === undefined || isUnserved(request, operation)) {
      throw new AwsError(
        'UnknownOperationException',
        `The embedded AWS does not have this operation of S3: ${wire.method} ${wire.path}?${wire.query}`,
      );
    }
    const path = on === 'bucket' ? bucket : `${bucket}/${key}`;
    const resources = [on === 'service' ? '*' : `arn:${partition}:s3:::${path}`];
    return {
      operation: operation.name,
      input: { Bucket: bucket, Key: key },
      authorizations: [{ action: operation.action, resources }],
      run: (call) => withRequestId(operation.run(request), call.requestId),
    };
  }

  encodeError(failure: Failure, requestId: string, request: WireRequest): WireResponse {
    const members = Object.entries(failure.members).map(
      ([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`,
    );
    const document =
      `${xmlDeclaration}<Error><Code>${escapeXml(failure.code)}</Code>` +
      `<Message>${escapeXml(failure.message)}</Message>${members.join('')}<RequestId>${requestId}</RequestId></Error>`;
    // A HEAD has no body: its errors are told by status alone.
    const body = request.method === 'HEAD' ? '' : document;
    return withRequestId(
      { status: failure.status, headers: { 'content-type': 'application/xml' }, body },
      requestId,
    );
  }
}

const unservedSubresources = [
  'acl',
  'cors',
  'delete',
  'lifecycle',
  'notification',
  'policy',
  'publicAccessBlock',
  'tagging',
  'versionId',
  'versions',
];

/** Sub-resources and copies must not be taken for the plain operation. */
function isUnserved({ query, headers }: S3Request, { query: served }: S3Operation): boolean {
  if (headers['x-amz-copy-source'] !== undefined) return true;
  return served === undefined && unservedSubresources.some((name) => query.has(name));
}

function withRequestId(response: WireResponse, requestId: string): WireResponse {
  return { ...response, headers: { ...response.headers, 'x-amz-request-id': requestId } };
}
