/** AMIs as what a service deploys: docs/auto-scaling.md tells what starts a deployment of one. */
import { EventField, type EventPattern } from 'aws-cdk-lib/aws-events';
import { retainPrefix } from '../functions/core/images/tag-pattern.ts';
import type { ServiceSource } from './service-source.ts';

export interface Amis {
  /** Patterns of the names that are deployed; `*` stands for any characters. */
  readonly names: readonly string[];
  /** The account whose AMIs they are, 12 digits; it must share them with this one. Default: `self`, this account. */
  readonly owner?: string;
  /** EC2 tags that an AMI must bear, with their values; of another account's AMIs this account's own tags count. Default: none. */
  readonly tags?: Readonly<Record<string, string>>;
  /**
   * A pipeline's own event instead of EC2's: for when an AMI is to be deployed only once it is shared, tagged or tested. Without it
   * nothing is, so the sweep looks for none that was lost.
   */
  readonly event?: AmiEvent;
}

interface AmiEvent {
  readonly pattern: EventPattern;
  /** Where the AMI's id stands in it, such as `$.detail.ami-id`. */
  readonly imageId: string;
}

export function amiSource(service: string, amis: Amis): ServiceSource {
  const { names, owner = 'self', tags, event } = amis;
  const repository = `ami:${owner}`;
  return {
    settings: {
      repository,
      repositoryUri: repository,
      tags: [...names],
      ...(tags && { labels: { ...tags } }),
      // That an AMI is there does not say that its pipeline is done with it.
      ...(event && { findings: false }),
    },
    repository: undefined,
    rule: {
      description: `AMIs of ${service} start a deployment`,
      ...(event === undefined ? available : builtBy(event)),
    },
    propOf: [
      [/^tags\b/, 'amis/names'],
      [/^labels\b/, 'amis/tags'],
      [/^repository:.*$/, `amis/owner: must be an account of 12 digits, got ${owner}`],
    ],
    mistakes: mistakesOf(amis),
  };
}

/** https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/monitor-ami-events.html; nothing in it tells one AMI from another. */
const available = {
  pattern: {
    source: ['aws.ec2'],
    detailType: ['EC2 AMI State Change'],
    detail: { State: ['available'] },
  },
  event: EventField.fromPath('$'),
};

/** As `functions/core/images/ami-event.ts` reads it. */
function builtBy({ pattern, imageId }: AmiEvent): Pick<ServiceSource['rule'], 'pattern' | 'event'> {
  return {
    pattern,
    event: {
      id: EventField.eventId,
      time: EventField.time,
      source: 'cutover.ami',
      'detail-type': 'AMI Available',
      detail: { ImageId: isPath(imageId) ? EventField.fromPath(imageId) : imageId },
    },
  };
}

/** https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html: no lists, no wildcards. */
function isPath(text: string): boolean {
  return /^\$(?:\.[\w-]+)+$/.test(text);
}

function mistakesOf({ names, tags, event }: Amis): readonly string[] {
  return [
    ...vainNames(names),
    ...Object.keys(tags ?? {}).flatMap((key) =>
      key.startsWith(retainPrefix)
        ? [
            `amis/tags/${key}: tags that start with ${retainPrefix} are put on by deployments: name another one`,
          ]
        : [],
    ),
    ...(event === undefined ? [] : mistakesOfEvent(event)),
  ];
}

/** What an AMI can be called: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html */
function vainNames(names: readonly string[]): readonly string[] {
  return names.flatMap((name, index) => {
    if (name.startsWith(retainPrefix))
      return [`amis/names/${index}: what starts with ${retainPrefix} is never deployed, got ${name}`];
    return /^[\w()[\] ./'@*-]*$/.test(name)
      ? []
      : [
          `amis/names/${index}: must be of what names of AMIs have (letters, digits, spaces, ()[]./-'@_) and *, which stands for any characters, got ${name}`,
        ];
  });
}

function mistakesOfEvent({ pattern, imageId }: AmiEvent): readonly string[] {
  return [
    ...(Object.keys(pattern).length === 0
      ? [
          "amis/event/pattern: is empty, and would take every event: name the pipeline's source and detailType",
        ]
      : []),
    ...(isPath(imageId)
      ? []
      : [`amis/event/imageId: must be a path in the event, such as $.detail.ami-id, got ${imageId}`]),
  ];
}
