/**
 * What is said of an AMI that can be launched: by EC2, or by what built it. Neither says what the AMI is called, nor whose it is,
 * and AMIs of everything else in the account are announced alike.
 */
import * as z from 'zod';
import { type Digest, digest, isAmi } from '../names.ts';
import { parse } from '../parse.ts';

/** `ami:self`, `ami:123456789012`: the AMIs of an account as a repository. No name in ECR has a colon. */
const amiRepository = /^ami:(self|\d{12})$/;

/** As DescribeImages takes it; undefined where container images are deployed. */
export function amiOwner(repository: string): string | undefined {
  return amiRepository.exec(repository)?.[1];
}

/** An AMI before anybody has looked what it is. */
export interface AnnouncedAmi {
  readonly eventId: string;
  /** When it became available, in milliseconds since the epoch. */
  readonly at: number;
  readonly digest: Digest;
}

export type AmiReading =
  | { readonly kind: 'announced'; readonly ami: AnnouncedAmi }
  /** Of some AMI, which may be anybody's: nobody is told. */
  | { readonly kind: 'foreign'; readonly reason: string }
  | { readonly kind: 'malformed'; readonly reason: string };

const envelope = { id: z.string().min(1).max(128), time: z.iso.datetime() };
const imageId = digest.refine(isAmi, 'must be the id of an AMI');

const amiEvent = z.discriminatedUnion('source', [
  /** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html */
  z.object({
    ...envelope,
    source: z.literal('aws.ec2'),
    'detail-type': z.literal('EC2 AMI State Change'),
    detail: z.object({ ImageId: imageId, State: z.string() }),
  }),
  /** What the service's rule makes of a pipeline's own event, and what a push that waited is offered again with. */
  z.object({
    ...envelope,
    source: z.literal('cutover.ami'),
    'detail-type': z.literal('AMI Available'),
    detail: z.object({ ImageId: imageId }),
  }),
]);

export function readAmiEvent(event: unknown): AmiReading {
  const parsed = parse(amiEvent, event);
  if (!parsed.ok)
    return {
      kind: 'malformed',
      reason: `this is not an event of an AMI: ${parsed.mistakes.join('; ')}`,
    };
  const { id, time, detail } = parsed.value;
  if ('State' in detail && detail.State !== 'available')
    return { kind: 'foreign', reason: `${detail.ImageId} is ${detail.State}, not available` };
  return { kind: 'announced', ami: { eventId: id, at: Date.parse(time), digest: detail.ImageId } };
}

export function amiEventOf({ eventId, at, digest: ImageId }: AnnouncedAmi): object {
  return {
    id: eventId,
    source: 'cutover.ami',
    'detail-type': 'AMI Available',
    time: new Date(at).toISOString(),
    detail: { ImageId },
  };
}
