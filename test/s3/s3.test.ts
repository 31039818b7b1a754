import { Readable } from 'node:stream';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteBucketCommand,
  DeleteObjectCommand,
  GetBucketEncryptionCommand,
  GetBucketLocationCommand,
  GetBucketVersioningCommand,
  GetObjectCommand,
  GetObjectTaggingCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  NoSuchBucket,
  NoSuchKey,
  NotFound,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { decodeAwsChunked } from '../../local/services/s3/aws-chunked.ts';
import type { StoredObject } from '../../local/services/s3/buckets.ts';
import { presignedUrl } from '../../local/services/s3/presigned-url.ts';
import { embedded } from '../wire/embedded.ts';

let aws: Awaited<ReturnType<typeof embedded>>;
let s3: S3Client;
const Bucket = 'cdk-assets';
beforeEach(async () => {
  aws = await embedded();
  s3 = new S3Client({ ...aws.client, forcePathStyle: true });
  await s3.send(new CreateBucketCommand({ Bucket }));
});
afterEach(() => aws.close());

it('gives an object back with its headers', async () => {
  const Key = 'deep/name with space+plus&ü.json';
  const put = await s3.send(
    new PutObjectCommand({
      Bucket,
      Key,
      Body: '{"a":1}',
      ContentType: 'application/json',
      Metadata: { by: 'me' },
    }),
  );
  const { Body, ...rest } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body?.transformToString()).toBe('{"a":1}');
  const head = { ETag: put.ETag, ContentType: 'application/json', ContentLength: 7, Metadata: { by: 'me' } };
  expect(rest).toMatchObject({ ...head, LastModified: new Date(aws.clock.now()) });
  expect(await s3.send(new HeadObjectCommand({ Bucket, Key }))).toMatchObject(head);
  expect(Buffer.from(aws.buckets.get(Bucket, Key).body).toString()).toBe('{"a":1}');
});

it('unwraps streams, which SDKs send in chunks with trailing checksums', async () => {
  const body = Buffer.alloc(200_000, 'chunk');
  const Body = Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'stream', Body, ContentLength: body.byteLength }));
  expect(Buffer.compare(aws.buckets.get(Bucket, 'stream').body, body)).toBe(0);
  expect(aws.buckets.get(Bucket, 'stream').headers['content-encoding']).toBeUndefined();
});

it('refuses chunks that end early', () => {
  const chunk = (text: string) => decodeAwsChunked(Buffer.from(text)).toString();
  expect(chunk('3;chunk-signature=abc\r\nabc\r\n0\r\nx-amz-checksum-crc32:AAAA\r\n\r\n')).toBe('abc');
  expect(() => chunk('5\r\nabc\r\n0\r\n\r\n')).toThrow('terminated unexpectedly');
  expect(() => chunk('3\r\nabc\r\n')).toThrow('terminated unexpectedly');
});

it('gives parts of an object', async () => {
  aws.buckets.put(Bucket, 'k', Buffer.from('0123456789'));
  const range = async (Range: string) => {
    const { Body, ContentRange } = await s3.send(new GetObjectCommand({ Bucket, Key: 'k', Range }));
    return [await Body?.transformToString(), ContentRange];
  };
  expect(await range('bytes=2-4')).toEqual(['234', 'bytes 2-4/10']);
  expect(await range('bytes=8-')).toEqual(['89', 'bytes 8-9/10']);
  await expect(range('bytes=10-')).rejects.toMatchObject({ name: 'InvalidRange' });
});

it('puts a multipart upload together', async () => {
  const Key = 'parts';
  const { UploadId } = await s3.send(
    new CreateMultipartUploadCommand({ Bucket, Key, ContentType: 'text/plain' }),
  );
  const Parts = [];
  for (const PartNumber of [2, 1]) {
    const { ETag } = await s3.send(
      new UploadPartCommand({ Bucket, Key, UploadId, PartNumber, Body: `part ${PartNumber} ` }),
    );
    Parts.unshift({ ETag, PartNumber });
  }
  await s3.send(new CompleteMultipartUploadCommand({ Bucket, Key, UploadId, MultipartUpload: { Parts } }));
  const { Body, ContentType, ETag } = await s3.send(new GetObjectCommand({ Bucket, Key }));
  expect(await Body?.transformToString()).toBe('part 1 part 2 ');
  expect([ContentType, ETag]).toEqual(['text/plain', expect.stringMatching(/^"[0-9a-f]{32}-2"$/)]);
  await expect(s3.send(new AbortMultipartUploadCommand({ Bucket, Key, UploadId }))).rejects.toMatchObject({
    name: 'NoSuchUpload',
  });
});

it('lists by prefix, by level and by page', async () => {
  for (const key of ['a', 'b/1', 'b/2', 'c/d/3', 'e']) aws.buckets.put(Bucket, key, Buffer.from(key));
  const list = async (more: object) => {
    const output = await s3.send(new ListObjectsV2Command({ Bucket, ...more }));
    const keys = output.Contents?.map(({ Key }) => Key) ?? [];
    return {
      keys,
      prefixes: output.CommonPrefixes?.map(({ Prefix }) => Prefix) ?? [],
      next: output.NextContinuationToken,
    };
  };
  expect(await list({ Prefix: 'b/' })).toMatchObject({ keys: ['b/1', 'b/2'] });
  expect(await list({ Delimiter: '/' })).toMatchObject({ keys: ['a', 'e'], prefixes: ['b/', 'c/'] });
  const first = await list({ MaxKeys: 3 });
  expect(first.keys).toEqual(['a', 'b/1', 'b/2']);
  expect(await list({ MaxKeys: 3, ContinuationToken: first.next })).toMatchObject({
    keys: ['c/d/3', 'e'],
    next: undefined,
  });
  expect(await list({ StartAfter: 'c' })).toMatchObject({ keys: ['c/d/3', 'e'] });
});

it('describes buckets as the CDK asks', async () => {
  expect((await s3.send(new ListBucketsCommand({}))).Buckets).toMatchObject([{ Name: Bucket }]);
  expect(await s3.send(new HeadBucketCommand({ Bucket }))).toMatchObject({ BucketRegion: 'us-east-1' });
  expect((await s3.send(new GetBucketLocationCommand({ Bucket }))).LocationConstraint ?? '').toBe('');
  expect((await s3.send(new GetBucketVersioningCommand({ Bucket }))).Status).toBeUndefined();
  const { ServerSideEncryptionConfiguration } = await s3.send(new GetBucketEncryptionCommand({ Bucket }));
  expect(
    ServerSideEncryptionConfiguration?.Rules?.[0]?.ApplyServerSideEncryptionByDefault?.SSEAlgorithm,
  ).toBe('AES256');
});

it('answers errors as the SDK knows them', async () => {
  const get = (bucket: string) => s3.send(new GetObjectCommand({ Bucket: bucket, Key: 'none' }));
  await expect(get(Bucket)).rejects.toBeInstanceOf(NoSuchKey);
  await expect(get('no-such-bucket')).rejects.toBeInstanceOf(NoSuchBucket);
  await expect(s3.send(new HeadObjectCommand({ Bucket, Key: 'none' }))).rejects.toBeInstanceOf(NotFound);
  await expect(s3.send(new CreateBucketCommand({ Bucket: 'Bad_Name' }))).rejects.toMatchObject({
    name: 'InvalidBucketName',
  });
  await expect(s3.send(new GetObjectTaggingCommand({ Bucket, Key: 'k' }))).rejects.toMatchObject({
    name: 'NotImplemented',
  });
});

it('deletes, and does not mind what is not there', async () => {
  aws.buckets.put(Bucket, 'k', Buffer.from('x'));
  await expect(s3.send(new DeleteBucketCommand({ Bucket }))).rejects.toMatchObject({
    name: 'BucketNotEmpty',
  });
  for (let time = 1; time <= 2; time++) await s3.send(new DeleteObjectCommand({ Bucket, Key: 'k' }));
  await s3.send(new DeleteBucketCommand({ Bucket }));
});

it('takes what is put to a presigned URL, and tells who waits for it', async () => {
  const heard: [string, StoredObject][] = [];
  aws.buckets.onPut((bucket, object) => heard.push([bucket, object]));
  const { endpoint, clock } = aws;
  const url = presignedUrl({ endpoint, bucket: Bucket, key: 'responses/1', expiresSeconds: 7200, clock });
  const response = await fetch(url, {
    method: 'PUT',
    body: '{"Status":"SUCCESS"}',
    headers: { 'content-type': '' },
  });
  expect(response.status).toBe(200);
  expect(heard).toMatchObject([[Bucket, { key: 'responses/1' }]]);
  expect(Buffer.from(heard[0]![1].body).toString()).toBe('{"Status":"SUCCESS"}');
});
