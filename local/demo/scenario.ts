/** The demo: images of two services, one after the other, and a rollback, under steady traffic. */
import { SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { imageName } from '../../functions/core/fleet/generation.ts';
import type { ServiceItem } from '../../functions/core/ledger/service-item.ts';
import type { Chapter } from '../../functions/core/messages/chapter.ts';
import { chaptersOf } from '../../functions/core/messages/story.ts';
import { region } from '../account.ts';
import type { Clock } from '../clock.ts';
import type { EmbeddedAws } from '../embedded-aws.ts';
import { pushImage } from '../registry/oci-image.ts';
import { type DemoImage, demoImage, nodeRuntime } from './images.ts';
import { serviceItemPut } from './service-view.ts';

export interface Expectation extends DemoImage {
  readonly outcome: Result['outcome'];
  readonly promise: string;
}

export interface Story {
  readonly service: string;
  /** What it runs on. */
  readonly on: string;
  /** Where its listener rule finds it. */
  readonly path: string;
  /** What is pushed, and what must become of it. */
  readonly pushes: readonly Expectation[];
  /** What a person gives the rollback machine after that, and where it must lead; null: nothing. */
  readonly rollback: {
    readonly order: { readonly service: string; readonly by: string; readonly reason: string };
    readonly image: string;
  } | null;
}

const first = { tag: 'v1', behaviour: 'good', outcome: 'live', promise: 'the first generation' } as const;
const second = { tag: 'v2', behaviour: 'good', outcome: 'live', promise: 'goes live step by step' } as const;
const third = {
  tag: 'v3',
  behaviour: 'neverHealthy',
  outcome: 'restored',
  promise: 'never becomes healthy',
} as const;

/** One after the other. */
export const stories: readonly Story[] = [
  {
    service: 'web',
    on: 'ECS',
    path: '/',
    pushes: [
      first,
      second,
      third,
      { tag: 'v4', behaviour: 'failing', outcome: 'restored', promise: 'healthy, but answers 500' },
    ],
    rollback: { order: { service: 'web', by: 'you', reason: 'to see the way back' }, image: 'web:v1' },
  },
  {
    service: 'worker',
    on: 'EC2 Auto Scaling',
    path: '/worker/',
    pushes: [first, second, third],
    rollback: null,
  },
];

export interface Result {
  readonly service: string;
  /** `back`: a rollback, which a person ordered. */
  readonly direction: 'forward' | 'back';
  readonly image: string;
  readonly generation: number;
  readonly outcome: 'live' | 'restored' | 'rejected';
  readonly reason: string;
  /** Of the embedded AWS's clock. */
  readonly seconds: number;
}

export interface Watch {
  /** The service item as it was written last. */
  readonly item: ServiceItem | undefined;
  readonly chapters: readonly Chapter[];
  /** Resolves with what became of the image; rejects when nothing did within the limit on the wall. Never after `close`. */
  outcomeOf(image: string): Promise<Result>;
  close(): void;
}

/** On the wall: something hangs, and the demo must say so instead of hanging with it. */
const patienceMs = 180_000;

/** Sees each version of the service item, as the ledger's stream does. */
export function watchService(options: {
  readonly aws: EmbeddedAws;
  readonly table: string;
  readonly service: string;
  readonly onChapter: (chapter: Chapter) => void;
  /** Called with what became of each image that was pushed, whoever pushed it. */
  readonly onResult: (result: Result) => void;
  readonly onFailure: (failure: unknown) => void;
}): Watch {
  const { aws, table, service, onChapter, onResult, onFailure } = options;
  const chapters: Chapter[] = [];
  const waiting = new Set<(item: ServiceItem) => void>();
  const limits = new Set<NodeJS.Timeout>();
  let item: ServiceItem | undefined;
  const turnTo = (next: ServiceItem): void => {
    for (const chapter of chaptersOf(item ?? null, next)) {
      chapters.push(chapter);
      onChapter(chapter);
    }
    const ended = endOf(item, next);
    if (ended !== undefined) onResult(ended);
    item = next;
    for (const look of waiting) look(next);
  };
  const unhook = aws.calls.hook({
    after: (call) => {
      try {
        const next = serviceItemPut(call, table, service);
        if (next !== undefined && next.version > (item?.version ?? 0)) turnTo(next);
      } catch (failure) {
        // The call itself went well.
        onFailure(failure);
      }
    },
  });
  return {
    get item() {
      return item;
    },
    chapters,
    outcomeOf: (image) =>
      new Promise((resolve, reject) => {
        const tooLong = setTimeout(
          () => reject(new Error(`nothing became of ${image} within ${patienceMs / 1_000} s`)),
          patienceMs,
        );
        const look = (current: ServiceItem): void => {
          const result = resultOf(current, image);
          if (result === undefined) return;
          clearTimeout(tooLong);
          limits.delete(tooLong);
          waiting.delete(look);
          resolve(result);
        };
        limits.add(tooLong);
        waiting.add(look);
        if (item !== undefined) look(item);
      }),
    close: () => {
      unhook();
      for (const limit of limits) clearTimeout(limit);
    },
  };
}

/** Pushes a demo image through the registry's own API, like any client. */
export async function pushDemoImage(aws: EmbeddedAws, image: DemoImage, repository: string): Promise<void> {
  try {
    const target = { registry: aws.endpoint, repository, tag: image.tag };
    await pushImage(demoImage(image, await nodeRuntime()), target);
  } catch (failure) {
    const words = failure instanceof Error ? failure.message : String(failure);
    throw new Error(`the image ${repository}:${image.tag} could not be pushed: ${words}`, { cause: failure });
  }
}

/** Orders the rollback as a person does with any client; resolves with when it was started, on the embedded AWS's clock. */
export async function orderRollback(
  aws: EmbeddedAws,
  stateMachineArn: string,
  order: object,
): Promise<number | undefined> {
  const sfn = new SFNClient({
    endpoint: aws.endpoint,
    region,
    credentials: { accessKeyId: 'you', secretAccessKey: 'any' },
  });
  try {
    const input = JSON.stringify(order);
    const { startDate } = await sfn.send(new StartExecutionCommand({ stateMachineArn, input }));
    return startDate?.getTime();
  } finally {
    sfn.destroy();
  }
}

/** The time from a signal (the alarm's event, an order) to the old weights in the rule, in milliseconds of the clock. */
export function untilWeights(
  item: ServiceItem | undefined,
  signalAt: number | undefined,
): number | undefined {
  if (signalAt === undefined || item?.weightsAt === null || item?.weightsAt === undefined) return undefined;
  return item.weightsAt < signalAt ? undefined : item.weightsAt - signalAt;
}

/** What this change of the item ended: a deployment, or a push that became none. */
function endOf(before: ServiceItem | undefined, after: ServiceItem): Result | undefined {
  const { deployment, intake } = after;
  const known =
    before?.deployment?.plan.deployment === deployment?.plan.deployment &&
    before?.deployment?.outcome != null;
  if (deployment !== null && deployment.outcome !== null && !known) {
    return resultOf(after, imageName(deployment.plan.to));
  }
  const looked = intake !== null && (before?.intake?.id !== intake.id || before.intake.at !== intake.at);
  return looked && intake.image !== null && intake.admission === 'rejected'
    ? resultOf(after, intake.image)
    : undefined;
}

function resultOf(item: ServiceItem, image: string): Result | undefined {
  const { deployment, intake, service } = item;
  if (deployment !== null && deployment.outcome !== null && imageName(deployment.plan.to) === image) {
    const { outcome, reason, order, plan, startedAt, endedAt } = deployment;
    const ordered = order === null ? null : `rollback by ${order.by}: ${order.reason}`;
    return {
      service,
      direction: plan.direction,
      image,
      generation: plan.to.number,
      outcome: outcome === 'live' ? 'live' : 'restored',
      reason: reason ?? ordered ?? 'every gate passed',
      seconds: Math.round(((endedAt ?? startedAt) - startedAt) / 1_000),
    };
  }
  if (intake !== null && intake.image === image && intake.admission === 'rejected') {
    const { direction, reason } = intake;
    return { service, direction, image, generation: 0, outcome: 'rejected', reason, seconds: 0 };
  }
  return undefined;
}

/** Milliseconds of the clock as people read them. */
export function clockTime(clock: Clock): string {
  return new Date(clock.now()).toISOString().slice(11, 19);
}
