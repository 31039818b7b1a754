/**
 * The registry's HTTP API: the OCI distribution spec 1.1 as docker, skopeo, buildx and crane speak it. Whoever comes is
 * let in: an Authorization header is accepted and not looked at, so `docker login` with ECR's token works too.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AwsError } from '../call.ts';
import { isDigest } from './digest.ts';
import { DistributionBlobs, type Exchange } from './distribution-blobs.ts';
import { DistributionError, distributionError } from './distribution-error.ts';
import { type Manifest, manifestTypes, parseManifest } from './manifest.ts';
import type { Registry } from './registry.ts';
import type { ImageReference, Repository } from './repository.ts';

/** The size that the spec tells registries to take at least, and ECR's own limit. */
const maxManifestBytes = 4 * 1024 ** 2;
/** How many tags a page of `tags/list` has when the client does not say. */
const defaultPage = 1_000;

const routes = [
  { name: 'uploads', path: /^\/v2\/(.+)\/blobs\/uploads\/?$/ },
  { name: 'upload', path: /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/ },
  { name: 'blob', path: /^\/v2\/(.+)\/blobs\/([^/]+)$/ },
  { name: 'manifest', path: /^\/v2\/(.+)\/manifests\/([^/]+)$/ },
  { name: 'tags', path: /^\/v2\/(.+)\/tags\/list$/ },
  { name: 'referrers', path: /^\/v2\/(.+)\/referrers\/([^/]+)$/ },
] as const;

type Route = (typeof routes)[number]['name'];

export class DistributionApi {
  readonly #registry: Registry;
  readonly #blobs: DistributionBlobs;

  constructor(options: { registry: Registry }) {
    this.#registry = options.registry;
    this.#blobs = new DistributionBlobs(options.registry);
  }

  /** Whether a request for this path is the registry's. */
  handles(path: string): boolean {
    return path === '/v2' || path.startsWith('/v2/') || path.startsWith('/v2?');
  }

  /** Answers the request, whatever happens. */
  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('docker-distribution-api-version', 'registry/2.0');
    const exchange = { request, response, url: new URL(request.url ?? '/', 'http://registry') };
    try {
      await this.#answer(exchange);
    } catch (error) {
      if (response.headersSent) {
        response.destroy();
        return;
      }
      const { status, body, headers } = distributionError(error);
      // What is left of the request is not read: an upload in vain must not go on.
      const connection = request.complete ? {} : { connection: 'close' };
      response.writeHead(status, { ...headers, ...connection, 'content-type': 'application/json' });
      response.end(request.method === 'HEAD' ? undefined : body);
      request.resume();
    }
  }

  async #answer(exchange: Exchange): Promise<void> {
    const { request, response, url } = exchange;
    if (url.pathname === '/v2' || url.pathname === '/v2/') {
      json(response, 200, {});
      return;
    }
    for (const { name, path } of routes) {
      const [, repositoryName, reference = ''] = path.exec(url.pathname) ?? [];
      if (repositoryName === undefined) continue;
      const repository = this.#registry.repository(decodeURIComponent(repositoryName));
      await this.#dispatch(name, exchange, repository, decodeURIComponent(reference));
      return;
    }
    throw new DistributionError('UNSUPPORTED', 404, `${request.method} ${url.pathname} is not supported`);
  }

  async #dispatch(
    route: Route,
    exchange: Exchange,
    repository: Repository,
    reference: string,
  ): Promise<void> {
    const method = exchange.request.method ?? 'GET';
    switch (`${method} ${route}`) {
      case 'GET blob':
      case 'HEAD blob':
        return this.#blobs.get(exchange, repository, reference);
      case 'POST uploads':
        return this.#blobs.start(exchange, repository);
      case 'GET upload':
        return this.#blobs.status(exchange, repository, reference);
      case 'PATCH upload':
        return this.#blobs.append(exchange, repository, reference);
      case 'PUT upload':
        return this.#blobs.finish(exchange, repository, reference);
      case 'DELETE upload':
        return this.#blobs.cancel(exchange, reference);
      case 'GET manifest':
      case 'HEAD manifest':
        return this.#getManifest(exchange, repository, reference);
      case 'PUT manifest':
        return this.#putManifest(exchange, repository, reference);
      case 'DELETE manifest':
        this.#registry.deleteImage(repository.name, referenceOf(reference));
        exchange.response.writeHead(202, { 'content-length': 0 }).end();
        return undefined;
      case 'GET tags':
        return listTags(exchange, repository);
      case 'GET referrers':
        return listReferrers(exchange, repository, reference);
      default:
        throw new DistributionError(
          'UNSUPPORTED',
          405,
          `${method} is not supported for ${exchange.url.pathname}`,
        );
    }
  }

  #getManifest({ request, response }: Exchange, repository: Repository, reference: string): void {
    const image = repository.get(referenceOf(reference));
    const { bytes, digest, mediaType } = image.manifest;
    response.writeHead(200, {
      'content-type': mediaType,
      'content-length': bytes.length,
      'docker-content-digest': digest,
      etag: `"${digest}"`,
    });
    if (request.method === 'HEAD') {
      response.end();
      return;
    }
    this.#registry.recordPull(image);
    response.end(bytes);
  }

  async #putManifest(
    { request, response }: Exchange,
    repository: Repository,
    reference: string,
  ): Promise<void> {
    const bytes = await readBody(request);
    const manifest = parseManifest(bytes, request.headers['content-type']?.split(';')[0]?.trim());
    const { digest, tag } = referenceOf(reference);
    if (digest !== undefined && digest !== manifest.digest) {
      const message = `manifest was pushed as ${digest} but is ${manifest.digest}`;
      throw new DistributionError('DIGEST_INVALID', 400, message);
    }
    try {
      this.#registry.putImage(repository.name, manifest, tag);
    } catch (error) {
      // A push that changes nothing is well here, though an error in ECR's API.
      if (!(error instanceof AwsError && error.code === 'ImageAlreadyExistsException')) throw error;
    }
    response.writeHead(201, {
      location: `/v2/${repository.name}/manifests/${manifest.digest}`,
      'docker-content-digest': manifest.digest,
      'content-length': 0,
      ...(manifest.subject === undefined ? {} : { 'oci-subject': manifest.subject.digest }),
    });
    response.end();
  }
}

function referenceOf(text: string): ImageReference {
  if (isDigest(text)) return { digest: text };
  if (text.includes(':'))
    throw new DistributionError('DIGEST_INVALID', 400, `invalid digest ${JSON.stringify(text)}`);
  return { tag: text };
}

function listTags({ response, url }: Exchange, repository: Repository): void {
  const last = url.searchParams.get('last') ?? '';
  const limit = Number(url.searchParams.get('n') ?? defaultPage);
  const following = [...repository.tags.keys()].sort().filter((tag) => tag > last);
  const tags = following.slice(0, limit);
  const end = tags.at(-1);
  if (end !== undefined && following.length > tags.length) {
    response.setHeader(
      'link',
      `</v2/${repository.name}/tags/list?n=${limit}&last=${encodeURIComponent(end)}>; rel="next"`,
    );
  }
  json(response, 200, { name: repository.name, tags });
}

function listReferrers({ response, url }: Exchange, repository: Repository, digest: string): void {
  if (!isDigest(digest)) throw new DistributionError('DIGEST_INVALID', 400, `invalid digest ${digest}`);
  const wanted = url.searchParams.get('artifactType');
  const manifests = repository
    .referrers(digest)
    .filter((manifest) => wanted === null || manifest.artifactMediaType === wanted)
    .map(referrer);
  if (wanted !== null) response.setHeader('oci-filters-applied', 'artifactType');
  json(
    response,
    200,
    { schemaVersion: 2, mediaType: manifestTypes.ociIndex, manifests },
    manifestTypes.ociIndex,
  );
}

function referrer(manifest: Manifest): Record<string, unknown> {
  return {
    mediaType: manifest.mediaType,
    digest: manifest.digest,
    size: manifest.bytes.length,
    ...(manifest.artifactMediaType === undefined ? {} : { artifactType: manifest.artifactMediaType }),
    ...(manifest.annotations === undefined ? {} : { annotations: manifest.annotations }),
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxManifestBytes) {
      throw new DistributionError('SIZE_INVALID', 413, `manifest is larger than ${maxManifestBytes} bytes`);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function json(response: ServerResponse, status: number, body: unknown, type = 'application/json'): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
