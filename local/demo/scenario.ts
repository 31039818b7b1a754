/** The demo: four images of one service, one after the other, under steady traffic. */
import { imageName } from '../../functions/core/generation.ts';
import type { ServiceItem } from '../../functions/core/service-item.ts';
import { type Chapter, chaptersOf } from '../../functions/core/story.ts';
import type { Clock } from '../clock.ts';
import type { EmbeddedAws } from '../embedded-aws.ts';
import { pushImage } from '../registry/oci-image.ts';
import { type DemoImage, demoImage, nodeRuntime } from './images.ts';
import { readServiceItem } from './service-view.ts';

export interface Expectation extends DemoImage {
  readonly outcome: Result['outcome'];
  readonly promise: string;
}

/** What is pushed, and what must become of it. */
export const expectations: readonly Expectation[] = [
  { tag: 'v1', behaviour: 'good', outcome: 'live', promise: 'the first generation' },
  { tag: 'v2', behaviour: 'good', outcome: 'live', promise: 'goes live step by step' },
  { tag: 'v3', behaviour: 'neverHealthy', outcome: 'restored', promise: 'never becomes healthy' },
  { tag: 'v4', behaviour: 'failing', outcome: 'restored', promise: 'healthy, but answers 500' },
];

export interface Result {
  readonly service: string;
  readonly image: string;
  readonly generation: number;
  readonly outcome: 'live' | 'restored' | 'rejected';
  readonly reason: string;
  /** Of the embedded AWS's clock. */
  readonly seconds: number;
}

export interface Watch {
  /** The service item as it was read last. */
  readonly item: ServiceItem | undefined;
  readonly chapters: readonly Chapter[];
  /** Resolves with what became of the image; rejects when nothing did within the limit on the wall. Never after `close`. */
  outcomeOf(image: string): Promise<Result>;
  close(): void;
}

const pollMs = 50;
/** On the wall: something hangs, and the demo must say so instead of hanging with it. */
const patienceMs = 180_000;

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
  let reading = false;
  const read = async (): Promise<void> => {
    if (reading) return;
    reading = true;
    try {
      const next = await readServiceItem(aws, table, service);
      if (next !== undefined && next.version !== item?.version) {
        for (const chapter of chaptersOf(item ?? null, next)) {
          chapters.push(chapter);
          onChapter(chapter);
        }
        const ended = endOf(item, next);
        if (ended !== undefined) onResult(ended);
        item = next;
        for (const look of waiting) look(next);
      }
    } finally {
      reading = false;
    }
  };
  const timer = setInterval(() => void read().catch(onFailure), pollMs);
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
      clearInterval(timer);
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

/** The time from the alarm's event to the old weights in the rule, in milliseconds of the clock. */
export function alarmToWeights(
  item: ServiceItem | undefined,
  alarmAt: number | undefined,
): number | undefined {
  if (alarmAt === undefined || item?.weightsAt === null || item?.weightsAt === undefined) return undefined;
  return item.weightsAt < alarmAt ? undefined : item.weightsAt - alarmAt;
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
      image,
      generation: plan.to.number,
      outcome: outcome === 'live' ? 'live' : 'restored',
      reason: reason ?? ordered ?? 'every gate passed',
      seconds: Math.round(((endedAt ?? startedAt) - startedAt) / 1_000),
    };
  }
  if (intake !== null && intake.image === image && intake.admission === 'rejected') {
    return { service, image, generation: 0, outcome: 'rejected', reason: intake.reason, seconds: 0 };
  }
  return undefined;
}

/** Milliseconds of the clock as people read them. */
export function clockTime(clock: Clock): string {
  return new Date(clock.now()).toISOString().slice(11, 19);
}
