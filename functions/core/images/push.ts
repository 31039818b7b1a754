/** What ECR says was pushed, or EC2 of an AMI, checked field by field. */
import * as z from 'zod';
import { type Digest, digest } from '../names.ts';
import { parse } from '../parse.ts';
import { type AnnouncedAmi, amiEventOf, amiOwner, readAmiEvent } from './ami-event.ts';
import type { RegistryImage } from './registry-image.ts';
import { isDeployable, namesReferrer, retainPrefix } from './tag-pattern.ts';

export interface Push {
  readonly eventId: string;
  /** When it happened, in milliseconds since the epoch; ECR's events, and EC2's, have second resolution. */
  readonly at: number;
  readonly repository: string;
  /** Of an AMI its name, which is unique in its account and never changes. */
  readonly tag: string;
  readonly digest: Digest;
}

export type PushReading =
  | { readonly kind: 'push'; readonly push: Push }
  /** A proper event that asks for nothing. */
  | { readonly kind: 'ignored'; readonly reason: string }
  /** As `ignored`, of what is another's: nobody is told, or each AMI of an account would be news for each of its services. */
  | { readonly kind: 'foreign'; readonly reason: string }
  /** Not an event that is sent of what the service deploys. */
  | { readonly kind: 'malformed'; readonly reason: string };

/** What a service deploys: the repository and the tags. */
interface Source {
  readonly repository: string;
  readonly tags: readonly string[];
}

/** https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html */
const ecrEvent = z.object({
  id: z.string().min(1).max(128),
  source: z.literal('aws.ecr'),
  'detail-type': z.literal('ECR Image Action'),
  time: z.iso.datetime(),
  detail: z.object({
    result: z.enum(['SUCCESS', 'FAILURE']),
    'repository-name': z.string().min(2).max(256),
    'action-type': z.string(),
    'image-digest': digest.optional(),
    'image-tag': z.string().min(1).max(128).optional(),
  }),
});

/** An AMI is `announced`: it has to be looked at before anybody knows what it is. */
export function readPush(
  event: unknown,
  source: Source,
): PushReading | { readonly kind: 'announced'; readonly ami: AnnouncedAmi } {
  return amiOwner(source.repository) === undefined ? readEcrPush(event, source) : readAmiEvent(event);
}

/** `image`: what the owner has under that id; undefined when it has none that can be launched. */
export function readAmi(
  { eventId, at, digest: id }: AnnouncedAmi,
  image: RegistryImage | undefined,
  { repository, tags }: Source,
): PushReading {
  const foreign = (reason: string): PushReading => ({ kind: 'foreign', reason });
  if (image === undefined)
    return foreign(`${id} is none of ${repository}: it is another account's, not available (yet), or gone`);
  const tag = image.tags.find((each) => isDeployable(tags, each));
  if (tag === undefined)
    return foreign(
      `the AMI ${id} is called ${image.tags[0]}, which matches none of this service's patterns (${tags.join(', ')})`,
    );
  return { kind: 'push', push: { eventId, at, repository, tag, digest: id } };
}

function readEcrPush(event: unknown, source: Source): PushReading {
  const parsed = parse(ecrEvent, event);
  if (!parsed.ok)
    return { kind: 'malformed', reason: `this is not an ECR image event: ${parsed.mistakes.join('; ')}` };
  const { id, time, detail } = parsed.value;
  const ignored = (reason: string): PushReading => ({ kind: 'ignored', reason });

  if (detail['action-type'] !== 'PUSH') return ignored(`the action is ${detail['action-type']}, not PUSH`);
  if (detail.result !== 'SUCCESS') return ignored('the push failed in ECR (result FAILURE); push again');
  if (detail['repository-name'] !== source.repository) {
    return ignored(
      `the repository is ${detail['repository-name']}; this service deploys ${source.repository}`,
    );
  }
  const tag = detail['image-tag'];
  if (tag === undefined) {
    return ignored(
      'it has no tag: a child manifest of an index, or a push by digest; the tagged push is what deploys',
    );
  }
  if (tag.startsWith(retainPrefix))
    return ignored(`tags that start with ${retainPrefix} only keep images from expiring`);
  if (namesReferrer(tag))
    return ignored(`the tag ${tag} names what is attached to an image (a signature, an SBOM), not an image`);
  if (!isDeployable(source.tags, tag)) {
    return ignored(`the tag ${tag} matches none of this service's patterns (${source.tags.join(', ')})`);
  }
  const pushed = detail['image-digest'];
  if (pushed === undefined)
    return { kind: 'malformed', reason: 'this is not an ECR image event: detail/image-digest: missing' };
  return {
    kind: 'push',
    push: { eventId: id, at: Date.parse(time), repository: detail['repository-name'], tag, digest: pushed },
  };
}

/**
 * Pushes are ordered by the event's time, never by `imagePushedAt`, which tagging again does not change. ECR's times have
 * second resolution: of two pushes in one second neither is older.
 */
export function isOlder(push: Pick<Push, 'at'>, than: Pick<Push, 'at'>): boolean {
  return push.at < than.at;
}

/** The push as it was announced: what a push that waited is offered again with. */
export function eventOf(push: Push): object {
  const { eventId, at, repository, tag, digest: pushed } = push;
  if (amiOwner(repository) !== undefined) return amiEventOf(push);
  return {
    id: eventId,
    source: 'aws.ecr',
    'detail-type': 'ECR Image Action',
    time: new Date(at).toISOString(),
    detail: {
      result: 'SUCCESS',
      'action-type': 'PUSH',
      'repository-name': repository,
      'image-tag': tag,
      'image-digest': pushed,
    },
  };
}
