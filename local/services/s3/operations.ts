/** S3's operations: how their requests are known, which permission they need, what they do. */
import { XMLParser } from 'fast-xml-parser';
import { region } from '../../account.ts';
import { AwsError } from '../../call.ts';
import type { WireResponse } from '../../wire/message.ts';
import { escapeXml } from '../../wire/xml.ts';
import { bucketFound, empty, objectBody, objectHead, xml, xmlns } from './answers.ts';
import type { Buckets } from './buckets.ts';
import { listObjectsV2 } from './listing.ts';
import type { MultipartUploads } from './multipart.ts';
import { objectHeaders, type S3Request } from './s3-request.ts';

export interface S3Operation {
  readonly name: string;
  readonly action: string;
  readonly method: string;
  readonly on: 'service' | 'bucket' | 'object';
  /** A query parameter that names the sub-resource; operations without one serve the plain request. */
  readonly query?: string;
  readonly run: (request: S3Request) => WireResponse;
}

/** The first that matches a request is meant. */
export function s3Operations(buckets: Buckets, uploads: MultipartUploads): readonly S3Operation[] {
  return [
    ...bucketOperations(buckets),
    ...multipartOperations(buckets, uploads),
    ...objectOperations(buckets),
  ];
}

function bucketOperations(buckets: Buckets): S3Operation[] {
  /** GETs of a bucket's configuration, which is the same for every bucket. */
  const constant = (name: string, action: string, query: string, document: string): S3Operation => ({
    name,
    action,
    method: 'GET',
    on: 'bucket',
    query,
    run: ({ bucket }) => {
      buckets.check(bucket);
      return xml(document);
    },
  });
  return [
    {
      name: 'ListBuckets',
      action: 's3:ListAllMyBuckets',
      method: 'GET',
      on: 'service',
      run: () => xml(listBuckets(buckets)),
    },
    constant(
      'GetBucketLocation',
      's3:GetBucketLocation',
      'location',
      // us-east-1 is told by an empty constraint.
      `<LocationConstraint ${xmlns}>${region === 'us-east-1' ? '' : region}</LocationConstraint>`,
    ),
    constant(
      'GetBucketEncryption',
      's3:GetEncryptionConfiguration',
      'encryption',
      // What every bucket has since January 2023.
      `<ServerSideEncryptionConfiguration ${xmlns}><Rule><ApplyServerSideEncryptionByDefault>` +
        '<SSEAlgorithm>AES256</SSEAlgorithm></ApplyServerSideEncryptionByDefault>' +
        '<BucketKeyEnabled>false</BucketKeyEnabled></Rule></ServerSideEncryptionConfiguration>',
    ),
    constant(
      'GetBucketVersioning',
      's3:GetBucketVersioning',
      'versioning',
      `<VersioningConfiguration ${xmlns}/>`,
    ),
    {
      name: 'ListObjectsV2',
      action: 's3:ListBucket',
      method: 'GET',
      on: 'bucket',
      query: 'list-type',
      run: ({ bucket, query }) => xml(listObjectsV2(bucket, buckets.objects(bucket), query)),
    },
    {
      name: 'HeadBucket',
      action: 's3:ListBucket',
      method: 'HEAD',
      on: 'bucket',
      run: ({ bucket }) => {
        buckets.check(bucket);
        return bucketFound();
      },
    },
    {
      name: 'CreateBucket',
      action: 's3:CreateBucket',
      method: 'PUT',
      on: 'bucket',
      run: ({ bucket }) => {
        buckets.create(bucket);
        return empty(200, { location: `/${bucket}` });
      },
    },
    {
      name: 'DeleteBucket',
      action: 's3:DeleteBucket',
      method: 'DELETE',
      on: 'bucket',
      run: ({ bucket }) => {
        buckets.delete(bucket);
        return empty(204);
      },
    },
  ];
}

function objectOperations(buckets: Buckets): S3Operation[] {
  return [
    {
      name: 'PutObject',
      action: 's3:PutObject',
      method: 'PUT',
      on: 'object',
      run: ({ bucket, key, headers, body }) => {
        const { etag } = buckets.put(bucket, key, Uint8Array.from(body()), {
          headers: objectHeaders(headers),
        });
        return empty(200, { etag, 'x-amz-server-side-encryption': 'AES256' });
      },
    },
    {
      name: 'GetObject',
      action: 's3:GetObject',
      method: 'GET',
      on: 'object',
      run: ({ bucket, key, headers }) => objectBody(buckets.get(bucket, key), headers['range']),
    },
    {
      name: 'HeadObject',
      action: 's3:GetObject',
      method: 'HEAD',
      on: 'object',
      run: ({ bucket, key }) => {
        const object = buckets.find(bucket, key);
        if (object === undefined) throw new AwsError('NotFound', 'Not Found', { status: 404 });
        return objectHead(object);
      },
    },
    {
      name: 'DeleteObject',
      action: 's3:DeleteObject',
      method: 'DELETE',
      on: 'object',
      run: ({ bucket, key }) => {
        buckets.remove(bucket, key);
        return empty(204);
      },
    },
  ];
}

function multipartOperations(buckets: Buckets, uploads: MultipartUploads): S3Operation[] {
  return [
    {
      name: 'CreateMultipartUpload',
      action: 's3:PutObject',
      method: 'POST',
      on: 'object',
      query: 'uploads',
      run: ({ bucket, key, headers }) => {
        buckets.check(bucket);
        const id = uploads.start(bucket, key, objectHeaders(headers));
        return xml(
          `<InitiateMultipartUploadResult ${xmlns}><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key>` +
            `<UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
        );
      },
    },
    {
      name: 'UploadPart',
      action: 's3:PutObject',
      method: 'PUT',
      on: 'object',
      query: 'uploadId',
      run: ({ query, body }) => {
        const part = Number(query.get('partNumber'));
        return empty(200, { etag: uploads.addPart(uploadId(query), part, Uint8Array.from(body())) });
      },
    },
    {
      name: 'CompleteMultipartUpload',
      action: 's3:PutObject',
      method: 'POST',
      on: 'object',
      query: 'uploadId',
      run: (request) => {
        const numbers = partNumbers(Buffer.from(request.body()).toString());
        const { bucket, key, body, etag, headers } = uploads.complete(uploadId(request.query), numbers);
        buckets.put(bucket, key, body, { headers, etag });
        return xml(
          `<CompleteMultipartUploadResult ${xmlns}><Bucket>${bucket}</Bucket><Key>${escapeXml(key)}</Key>` +
            `<ETag>${escapeXml(etag)}</ETag></CompleteMultipartUploadResult>`,
        );
      },
    },
    {
      name: 'AbortMultipartUpload',
      action: 's3:AbortMultipartUpload',
      method: 'DELETE',
      on: 'object',
      query: 'uploadId',
      run: ({ query }) => {
        uploads.abort(uploadId(query));
        return empty(204);
      },
    },
  ];
}

function listBuckets(buckets: Buckets): string {
  const listed = buckets
    .list()
    .map(
      ({ name, createdAt }) =>
        `<Bucket><Name>${name}</Name><CreationDate>${createdAt.toISOString()}</CreationDate></Bucket>`,
    );
  return `<ListAllMyBucketsResult ${xmlns}><Buckets>${listed.join('')}</Buckets></ListAllMyBucketsResult>`;
}

function uploadId(query: URLSearchParams): string {
  return query.get('uploadId') ?? '';
}

function partNumbers(document: string): number[] {
  const parsed = new XMLParser({ isArray: (name) => name === 'Part' }).parse(document) as {
    CompleteMultipartUpload?: { Part?: { PartNumber: number }[] };
  };
  const parts = parsed.CompleteMultipartUpload?.Part;
  if (parts === undefined) {
    throw new AwsError(
      'MalformedXML',
      'The XML you provided was not well-formed or did not validate against our published schema',
    );
  }
  return parts.map(({ PartNumber }) => Number(PartNumber));
}
