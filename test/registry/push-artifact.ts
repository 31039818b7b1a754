/** Pushes what is no image, such as signatures, through the registry's HTTP API, as cosign and oras do. */
import { digestOf } from '../../local/registry/digest.ts';
import { type Descriptor, manifestTypes } from '../../local/registry/manifest.ts';

/** Returns the blob's digest. */
export async function pushBytes(registry: string, repository: string, content: Buffer): Promise<string> {
  const digest = digestOf(content);
  const started = await fetch(`${registry}/v2/${repository}/blobs/uploads/`, { method: 'POST' });
  const upload = new URL(started.headers.get('location') ?? '', registry);
  upload.searchParams.set('digest', digest);
  await accepted(await fetch(upload, { method: 'PUT', body: new Uint8Array(content) }));
  return digest;
}

interface Artifact {
  /** Without one it is found by its digest and its subject alone. */
  readonly tag?: string;
  readonly artifactType?: string;
  readonly config?: { readonly mediaType: string; readonly content: string };
  readonly layers?: readonly Descriptor[];
  /** The digest that it is about. */
  readonly subject?: string;
}

/** Returns the manifest's digest. */
export async function pushArtifact(
  registry: string,
  repository: string,
  artifact: Artifact,
): Promise<string> {
  const { mediaType, content } = artifact.config ?? {
    mediaType: 'application/vnd.oci.empty.v1+json',
    content: '{}',
  };
  const config = Buffer.from(content);
  return pushManifest(registry, repository, artifact.tag, manifestTypes.ociManifest, {
    ...(artifact.artifactType !== undefined && { artifactType: artifact.artifactType }),
    config: { mediaType, digest: await pushBytes(registry, repository, config), size: config.length },
    layers: artifact.layers ?? [],
    ...(artifact.subject !== undefined && {
      subject: { mediaType: manifestTypes.ociManifest, digest: artifact.subject, size: 2 },
    }),
  });
}

/** `linux/arm64/v8` */
interface IndexEntry {
  readonly digest: string;
  readonly platform?: string;
  readonly mediaType?: string;
}

/** Returns the index's digest. */
export async function pushIndex(
  registry: string,
  repository: string,
  tag: string,
  entries: readonly IndexEntry[],
): Promise<string> {
  const manifests = entries.map(({ digest, platform, mediaType = manifestTypes.ociManifest }) => {
    const [os, architecture, variant] = platform?.split('/') ?? [];
    return {
      mediaType,
      digest,
      size: 2,
      ...(platform !== undefined && { platform: { os, architecture, ...(variant && { variant }) } }),
    };
  });
  return pushManifest(registry, repository, tag, manifestTypes.ociIndex, { manifests });
}

async function pushManifest(
  registry: string,
  repository: string,
  tag: string | undefined,
  mediaType: string,
  content: object,
): Promise<string> {
  const body = JSON.stringify({ schemaVersion: 2, mediaType, ...content });
  const digest = digestOf(Buffer.from(body));
  const url = `${registry}/v2/${repository}/manifests/${tag ?? digest}`;
  await accepted(await fetch(url, { method: 'PUT', headers: { 'content-type': mediaType }, body }));
  return digest;
}

async function accepted(response: Response): Promise<void> {
  const text = await response.text();
  if (!response.ok) throw new Error(`the registry answered ${response.status} to ${response.url}: ${text}`);
}
