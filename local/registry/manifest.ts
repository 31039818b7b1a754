/** Image manifests and indexes of Docker (v2, schema 2) and OCI, kept byte for byte as they were pushed. */
import { AwsError } from '../call.ts';
import { digestOf, isDigest } from './digest.ts';

export const manifestTypes = {
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerList: 'application/vnd.docker.distribution.manifest.list.v2+json',
  ociManifest: 'application/vnd.oci.image.manifest.v1+json',
  ociIndex: 'application/vnd.oci.image.index.v1+json',
} as const;

export interface Platform {
  readonly os?: string;
  readonly architecture?: string;
  readonly variant?: string;
}

export interface Descriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: Platform;
  /** Foreign layers (Windows base layers) live elsewhere. */
  readonly urls?: readonly string[];
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface Manifest {
  readonly digest: string;
  readonly mediaType: string;
  readonly bytes: Buffer;
  /** What the image consists of; empty for an index. */
  readonly config?: Descriptor;
  readonly layers: readonly Descriptor[];
  /** What an index refers to. */
  readonly manifests: readonly Descriptor[];
  /** The manifest that this one (a signature, an SBOM) is about. */
  readonly subject?: Descriptor;
  /** What kind of artifact it is: its own `artifactType`, else its configuration's media type. */
  readonly artifactMediaType?: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Reads a manifest as pushed with this media type (or the one that it names itself). Throws when it is none. */
export function parseManifest(bytes: Buffer, pushedAs?: string): Manifest {
  const content = parseObject(bytes);
  const named = content['mediaType'];
  const mediaType = pushedAs ?? (typeof named === 'string' ? named : undefined);
  if (mediaType === undefined || !Object.values<string>(manifestTypes).includes(mediaType)) {
    throw invalid(`manifest media type ${mediaType ?? 'none'} is not supported`);
  }
  if (named !== undefined && named !== mediaType) {
    throw invalid(`manifest of media type ${JSON.stringify(named)} was pushed as ${mediaType}`);
  }
  if (content['schemaVersion'] !== 2) throw invalid('schemaVersion must be 2');
  const isIndex = mediaType === manifestTypes.ociIndex || mediaType === manifestTypes.dockerList;
  const config = isIndex ? undefined : descriptor(content['config'], 'config');
  const artifactType = content['artifactType'];
  const artifactMediaType = typeof artifactType === 'string' ? artifactType : config?.mediaType;
  return {
    digest: digestOf(bytes),
    mediaType,
    bytes,
    ...(config === undefined ? {} : { config }),
    layers: isIndex ? [] : descriptors(content['layers'], 'layers'),
    manifests: isIndex ? descriptors(content['manifests'], 'manifests') : [],
    ...(content['subject'] === undefined ? {} : { subject: descriptor(content['subject'], 'subject') }),
    ...(artifactMediaType === undefined ? {} : { artifactMediaType }),
    ...(isRecord(content['annotations']) ? { annotations: texts(content['annotations']) } : {}),
  };
}

function parseObject(bytes: Buffer): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(bytes.toString('utf8'));
    if (isRecord(content)) return content;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw invalid('Invalid JSON syntax');
}

function descriptors(value: unknown, at: string): Descriptor[] {
  if (!Array.isArray(value)) throw invalid(`${at} must be a list`);
  return value.map((item, index) => descriptor(item, `${at}[${index}]`));
}

function descriptor(value: unknown, at: string): Descriptor {
  if (!isRecord(value)) throw invalid(`${at} must be a descriptor`);
  const { mediaType, digest, size, platform, urls, annotations } = value;
  if (typeof mediaType !== 'string' || typeof digest !== 'string' || typeof size !== 'number') {
    throw invalid(`${at} must have a mediaType, a digest and a size`);
  }
  if (!isDigest(digest)) throw invalid(`${at} has an invalid digest ${JSON.stringify(digest)}`);
  return {
    mediaType,
    digest,
    size,
    ...(isRecord(platform) ? { platform: texts(platform) } : {}),
    ...(Array.isArray(urls) ? { urls: urls.filter((url) => typeof url === 'string') } : {}),
    ...(isRecord(annotations) ? { annotations: texts(annotations) } : {}),
  };
}

function texts(record: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(record).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(reason: string): AwsError {
  return new AwsError(
    'InvalidParameterException',
    `Invalid parameter at 'imageManifest' failed to satisfy constraint: '${reason}'`,
  );
}
