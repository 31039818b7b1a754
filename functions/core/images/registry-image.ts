/** An image as the registry describes it, and whether anything can be run from it. */
import type { Digest } from '../names.ts';

export interface RegistryImage {
  readonly digest: Digest;
  /** All that name it now. */
  readonly tags: readonly string[];
  /** When the digest was pushed first, in milliseconds since the epoch: tagging it again does not change that. */
  readonly pushedAt: number;
  /** Media type of the manifest or index. */
  readonly manifestType: string | undefined;
  /** What kind of artifact it is; of an image its configuration's media type, of an index usually nothing. */
  readonly artifactType: string | undefined;
  /** The digest that it is about, as a signature or an SBOM is. */
  readonly subject: string | undefined;
  /** Tags of EC2 on an AMI; what is in ECR has none. */
  readonly labels: Readonly<Record<string, string>>;
}

/** https://github.com/opencontainers/image-spec/blob/main/media-types.md */
const configurations: ReadonlySet<string> = new Set([
  'application/vnd.docker.container.image.v1+json',
  'application/vnd.oci.image.config.v1+json',
]);
const manifests: ReadonlySet<string> = new Set([
  'application/vnd.docker.distribution.manifest.v2+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
]);

/** Why no task can be started from it; undefined when one can. */
export function notRunnable({ manifestType, artifactType, subject }: RegistryImage): string | undefined {
  if (subject !== undefined) return `it is about another image (${subject}), as signatures and SBOMs are`;
  if (artifactType !== undefined && !configurations.has(artifactType))
    return `it is an artifact (${artifactType}), not an image`;
  if (manifestType !== undefined && !manifests.has(manifestType))
    return `its manifest is ${manifestType}, which is no image's`;
  return undefined;
}

/** Which label an image lacks that a service asks for, with both values; undefined when it bears them all. */
export function lackingLabel(
  { labels }: Pick<RegistryImage, 'labels'>,
  wanted: Readonly<Record<string, string>>,
): string | undefined {
  const lacking = Object.entries(wanted).filter(([key, value]) => labels[key] !== value);
  if (lacking.length === 0) return undefined;
  return lacking
    .map(([key, value]) => {
      const has = labels[key] === undefined ? `it has no tag ${key}` : `its tag ${key} is ${labels[key]}`;
      return `${has}, and this service deploys what has ${key}=${value}`;
    })
    .join('; ');
}
