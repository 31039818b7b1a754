/** Blobs and uploads of the registry's HTTP API (OCI distribution spec 1.1, "Pulling blobs", "Pushing blobs"). */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Blob, BlobStore } from './blob-store.ts';
import { isDigest } from './digest.ts';
import { DistributionError } from './distribution-error.ts';
import type { Registry } from './registry.ts';
import type { Repository } from './repository.ts';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly url: URL;
}

export class DistributionBlobs {
  readonly #registry: Registry;
  readonly #blobs: BlobStore;

  constructor(registry: Registry) {
    this.#registry = registry;
    this.#blobs = registry.blobs;
  }

  /** GET and HEAD of a blob, or of a range of it. */
  async get({ request, response }: Exchange, repository: Repository, digest: string): Promise<void> {
    const blob = repository.blobs.has(digest) ? await this.#blobs.find(digest) : undefined;
    if (blob === undefined)
      throw new DistributionError('BLOB_UNKNOWN', 404, `blob ${digest} unknown to registry`);
    const headers = {
      'content-type': 'application/octet-stream',
      'docker-content-digest': digest,
      'accept-ranges': 'bytes',
      etag: `"${digest}"`,
    };
    const range = requestedRange(request.headers.range, blob);
    const { start, end } = range ?? { start: 0, end: blob.size - 1 };
    response.writeHead(range === undefined ? 200 : 206, {
      ...headers,
      'content-length': end - start + 1,
      ...(range === undefined ? {} : { 'content-range': `bytes ${start}-${end}/${blob.size}` }),
    });
    if (request.method === 'HEAD' || blob.size === 0) response.end();
    else await pipeline(this.#blobs.read(blob, { start, end }), response);
  }

  /** Starts an upload; with `digest` takes all of it at once, with `mount` takes the blob from another repository. */
  async start(exchange: Exchange, repository: Repository): Promise<void> {
    const { request, response, url } = exchange;
    const mounted = url.searchParams.get('mount');
    if (mounted !== null && (await this.#canMount(mounted, url.searchParams.get('from')))) {
      repository.blobs.add(mounted);
      request.resume();
      created(response, repository, mounted);
      return;
    }
    const digest = url.searchParams.get('digest');
    const id = await this.#blobs.startUpload();
    if (digest !== null) {
      await this.#blobs.append(id, request);
      await this.#finish(response, repository, id, digest);
      return;
    }
    request.resume();
    this.#progress(response, 202, repository, id);
  }

  async append({ request, response }: Exchange, repository: Repository, id: string): Promise<void> {
    this.#requireNext(request, repository, id);
    await this.#blobs.append(id, request);
    this.#progress(response, 202, repository, id);
  }

  async finish(exchange: Exchange, repository: Repository, id: string): Promise<void> {
    const { request, response, url } = exchange;
    const digest = url.searchParams.get('digest');
    if (digest === null) throw new DistributionError('DIGEST_INVALID', 400, 'digest parameter is missing');
    this.#requireNext(request, repository, id);
    await this.#blobs.append(id, request);
    await this.#finish(response, repository, id, digest);
  }

  status({ response }: Exchange, repository: Repository, id: string): void {
    this.#requireUpload(id);
    this.#progress(response, 204, repository, id);
  }

  async cancel({ response }: Exchange, id: string): Promise<void> {
    this.#requireUpload(id);
    await this.#blobs.cancel(id);
    response.writeHead(204).end();
  }

  async #finish(response: ServerResponse, repository: Repository, id: string, digest: string): Promise<void> {
    if (!isDigest(digest)) {
      await this.#blobs.cancel(id);
      throw new DistributionError('DIGEST_INVALID', 400, `invalid digest ${JSON.stringify(digest)}`);
    }
    await this.#blobs.finish(id, digest);
    repository.blobs.add(digest);
    created(response, repository, digest);
  }

  async #canMount(digest: string, from: string | null): Promise<boolean> {
    const source = this.#registry.repositories().find((repository) => repository.name === from);
    return source?.blobs.has(digest) === true && (await this.#blobs.find(digest)) !== undefined;
  }

  /** A chunk with a Content-Range must begin where the upload ends. */
  #requireNext(request: IncomingMessage, repository: Repository, id: string): void {
    const received = this.#requireUpload(id);
    const range = request.headers['content-range'];
    if (range === undefined) return;
    const start = /^(?:bytes )?(\d+)-(\d+)/.exec(range)?.[1];
    if (start === undefined || Number(start) !== received) {
      const message = `chunk ${range} does not follow the ${received} bytes received`;
      throw new DistributionError('RANGE_INVALID', 416, message, uploadHeaders(repository, id, received));
    }
  }

  #requireUpload(id: string): number {
    const received = this.#blobs.uploaded(id);
    if (received === undefined) {
      throw new DistributionError('BLOB_UPLOAD_UNKNOWN', 404, `blob upload ${id} unknown to registry`);
    }
    return received;
  }

  #progress(response: ServerResponse, status: number, repository: Repository, id: string): void {
    response.writeHead(status, {
      ...uploadHeaders(repository, id, this.#requireUpload(id)),
      ...(status === 204 ? {} : { 'content-length': 0 }),
    });
    response.end();
  }
}

function uploadHeaders(repository: Repository, id: string, received: number): Record<string, string> {
  return {
    location: `/v2/${repository.name}/blobs/uploads/${id}`,
    // The last byte received; the protocol has no way to say "none".
    range: `0-${Math.max(0, received - 1)}`,
    'docker-upload-uuid': id,
  };
}

function created(response: ServerResponse, repository: Repository, digest: string): void {
  response.writeHead(201, {
    location: `/v2/${repository.name}/blobs/${digest}`,
    'docker-content-digest': digest,
    'content-length': 0,
  });
  response.end();
}

/** One range of bytes (RFC 9110, 14.1.2); several at once are answered with the whole, as a server may. */
function requestedRange(header: string | undefined, blob: Blob): { start: number; end: number } | undefined {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  const [, first = '', last = ''] = match ?? [];
  if (match === null || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, blob.size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? blob.size - 1 : Math.min(Number(last), blob.size - 1);
  if (start > end) {
    throw new DistributionError('RANGE_INVALID', 416, `range ${header} lies outside of the blob`, {
      'content-range': `bytes */${blob.size}`,
    });
  }
  return { start, end };
}
