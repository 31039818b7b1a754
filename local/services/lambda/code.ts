/** Function code on disk: each zip is unpacked once, versions with the same code share the folder. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, normalize } from 'node:path';
import type { FunctionCode } from '@aws-sdk/client-lambda';
import { unzipSync } from 'fflate';
import { AwsError } from '../../call.ts';

export interface CodePackage {
  /** Of the zip, in base64, as `CodeSha256`. */
  readonly sha256: string;
  readonly size: number;
  /** The folder that the zip is unpacked to. */
  readonly taskRoot: string;
}

export interface Packages {
  load(code: FunctionCode): Promise<CodePackage>;
  close(): Promise<void>;
}

/** Reads an object of S3. */
export type ReadObject = (bucket: string, key: string) => Promise<Uint8Array>;

// https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
const maxUnzippedBytes = 250 * 1024 * 1024;

export class CodePackages implements Packages {
  readonly #readObject: ReadObject;
  readonly #packages = new Map<string, Promise<CodePackage>>();
  #root: Promise<string> | undefined;

  constructor(options: { readObject: ReadObject }) {
    this.#readObject = options.readObject;
  }

  async load(code: FunctionCode): Promise<CodePackage> {
    if (code.ImageUri !== undefined) {
      throw invalid('The embedded Lambda runs zip archives, not container images.');
    }
    const zip = code.ZipFile ?? (await this.#fetch(code));
    const sha256 = createHash('sha256').update(zip).digest('base64');
    const known = this.#packages.get(sha256);
    if (known !== undefined) return known;
    const unpacked = this.#unpack(zip, sha256);
    this.#packages.set(sha256, unpacked);
    unpacked.catch(() => this.#packages.delete(sha256));
    return unpacked;
  }

  /** Removes everything that was unpacked. */
  async close(): Promise<void> {
    if (this.#root !== undefined) await rm(await this.#root, { recursive: true, force: true });
  }

  async #fetch({ S3Bucket: bucket, S3Key: key }: FunctionCode): Promise<Uint8Array> {
    if (bucket === undefined || key === undefined) {
      throw invalid('Please provide a source for function code.');
    }
    try {
      return await this.#readObject(bucket, key);
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      throw invalid(
        `Error occurred while GetObject. S3 Error Code: ${error.code}. S3 Error Message: ${error.message}`,
      );
    }
  }

  async #unpack(zip: Uint8Array, sha256: string): Promise<CodePackage> {
    let files: Record<string, Uint8Array>;
    try {
      files = unzipSync(zip);
    } catch {
      throw invalid('Could not unzip uploaded file. Please check your file, then try to upload again.');
    }
    if (Object.values(files).reduce((sum, file) => sum + file.byteLength, 0) > maxUnzippedBytes) {
      throw invalid(`Unzipped size must be smaller than ${maxUnzippedBytes} bytes`);
    }
    this.#root ??= mkdtemp(join(tmpdir(), 'embedded-lambda-'));
    const taskRoot = join(await this.#root, Buffer.from(sha256, 'base64').toString('hex'));
    await mkdir(taskRoot, { recursive: true });
    for (const [name, content] of Object.entries(files)) {
      const path = normalize(name);
      if (path.startsWith('..') || path.startsWith('/'))
        throw invalid(`Invalid path in the archive: ${name}`);
      if (name.endsWith('/')) continue;
      await mkdir(join(taskRoot, dirname(path)), { recursive: true });
      await writeFile(join(taskRoot, path), content);
    }
    return { sha256, size: zip.byteLength, taskRoot };
  }
}

function invalid(message: string): AwsError {
  return new AwsError('InvalidParameterValueException', message);
}
