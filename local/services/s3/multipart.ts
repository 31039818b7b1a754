/** Multipart uploads: parts wait here until they are put together; SDKs and the CLI send larger files this way. */
import { createHash, randomBytes } from 'node:crypto';
import { AwsError } from '../../call.ts';

interface Upload {
  readonly bucket: string;
  readonly key: string;
  readonly headers: Record<string, string>;
  readonly parts: Map<number, Uint8Array>;
}

export class MultipartUploads {
  readonly #uploads = new Map<string, Upload>();

  start(bucket: string, key: string, headers: Record<string, string>): string {
    const id = randomBytes(32).toString('base64url');
    this.#uploads.set(id, { bucket, key, headers, parts: new Map() });
    return id;
  }

  /** The part's etag. */
  addPart(id: string, number: number, body: Uint8Array): string {
    this.#upload(id).parts.set(number, body);
    return `"${md5(body).toString('hex')}"`;
  }

  /** The whole in the order of the part numbers; its etag is the MD5 of the parts' MD5s, and their number. */
  complete(id: string, numbers: readonly number[]): Upload & { body: Uint8Array; etag: string } {
    const upload = this.#upload(id);
    const parts = numbers.map((number) => {
      const part = upload.parts.get(number);
      if (part === undefined) {
        throw new AwsError('InvalidPart', 'One or more of the specified parts could not be found.');
      }
      return part;
    });
    this.#uploads.delete(id);
    const etag = `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}"`;
    return { ...upload, body: Buffer.concat(parts), etag };
  }

  abort(id: string): void {
    this.#upload(id);
    this.#uploads.delete(id);
  }

  #upload(id: string): Upload {
    const upload = this.#uploads.get(id);
    if (upload === undefined) {
      throw new AwsError('NoSuchUpload', 'The specified upload does not exist.', { status: 404 });
    }
    return upload;
  }
}

function md5(bytes: Uint8Array): Buffer {
  return createHash('md5').update(bytes).digest();
}
