/** Buckets and their objects, in memory: assets of a deployment are few and small. */
import { createHash } from 'node:crypto';
import { AwsError } from '../../call.ts';
import type { Clock } from '../../clock.ts';

export interface StoredObject {
  readonly key: string;
  readonly body: Uint8Array;
  /** Quoted, as the header carries it. */
  readonly etag: string;
  readonly lastModified: Date;
  /** Headers given with the object that are given back with it: content type, encoding, `x-amz-meta-…`. */
  readonly headers: Readonly<Record<string, string>>;
}

interface Bucket {
  readonly name: string;
  readonly createdAt: Date;
  readonly objects: Map<string, StoredObject>;
}

export type PutListener = (bucket: string, object: StoredObject) => void;

export class Buckets {
  readonly #clock: Clock;
  readonly #buckets = new Map<string, Bucket>();
  readonly #listeners = new Set<PutListener>();

  constructor(options: { clock: Clock }) {
    this.#clock = options.clock;
  }

  /** A bucket that one owns already is found as it is (us-east-1's behaviour). */
  create(name: string): void {
    // "Bucket naming rules" in the S3 guide, without the lists of reserved prefixes.
    if (!/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(name) || name.includes('..')) {
      throw new AwsError('InvalidBucketName', 'The specified bucket is not valid.', {
        members: { BucketName: name },
      });
    }
    if (!this.#buckets.has(name)) {
      this.#buckets.set(name, { name, createdAt: new Date(this.#clock.now()), objects: new Map() });
    }
  }

  delete(name: string): void {
    if (this.#bucket(name).objects.size > 0) {
      throw new AwsError('BucketNotEmpty', 'The bucket you tried to delete is not empty', {
        status: 409,
        members: { BucketName: name },
      });
    }
    this.#buckets.delete(name);
  }

  list(): { name: string; createdAt: Date }[] {
    return [...this.#buckets.values()].map(({ name, createdAt }) => ({ name, createdAt }));
  }

  /** Throws `NoSuchBucket`. */
  check(name: string): void {
    this.#bucket(name);
  }

  put(
    bucket: string,
    key: string,
    body: Uint8Array,
    options: { headers?: Record<string, string>; etag?: string } = {},
  ): StoredObject {
    const object: StoredObject = {
      key,
      body,
      etag: options.etag ?? `"${createHash('md5').update(body).digest('hex')}"`,
      lastModified: new Date(this.#clock.now()),
      headers: options.headers ?? {},
    };
    this.#bucket(bucket).objects.set(key, object);
    for (const listener of this.#listeners) listener(bucket, object);
    return object;
  }

  /** Undefined when there is no such object; throws `NoSuchBucket`. */
  find(bucket: string, key: string): StoredObject | undefined {
    return this.#bucket(bucket).objects.get(key);
  }

  /** Throws `NoSuchBucket` and `NoSuchKey`. */
  get(bucket: string, key: string): StoredObject {
    const object = this.find(bucket, key);
    if (object === undefined) {
      throw new AwsError('NoSuchKey', 'The specified key does not exist.', {
        status: 404,
        members: { Key: key },
      });
    }
    return object;
  }

  /** Deleting what is not there succeeds, as in S3. */
  remove(bucket: string, key: string): void {
    this.#bucket(bucket).objects.delete(key);
  }

  /** Objects in the order of their keys' UTF-8 bytes. */
  objects(bucket: string): StoredObject[] {
    return [...this.#bucket(bucket).objects.values()].toSorted((a, b) =>
      Buffer.compare(Buffer.from(a.key), Buffer.from(b.key)),
    );
  }

  /** Calls `listener` with each object that is put; the returned function ends that. */
  onPut(listener: PutListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #bucket(name: string): Bucket {
    const bucket = this.#buckets.get(name);
    if (bucket === undefined) {
      throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', {
        status: 404,
        members: { BucketName: name },
      });
    }
    return bucket;
  }
}
