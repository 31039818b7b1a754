/**
 * Has the hooks called that a change of the service item asks, and the instances drained that begin to, and tells what it means: to the ledger's history, then to people.
 * Changes nothing. A repeat calls with the same key, finds the history told, and sends the message again, with the same id.
 */

import { CutoverError } from '../core/errors.ts';
import { begunIn, drainedUntil, drainOf } from '../core/fleet/drain.ts';
import { hookInput } from '../core/hooks/hook-contract.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import { isSpoken } from '../core/messages/chapter.ts';
import { messageOf } from '../core/messages/message.ts';
import { chaptersOf } from '../core/messages/story.ts';
import type { Announcer } from '../ports/announcer.ts';
import type { DrainCall, HookCall, Hooks } from '../ports/hooks.ts';
import type { History } from '../ports/ledger.ts';

export interface AnnouncePorts {
  readonly hooks: Hooks;
  readonly history: History;
  readonly announcer: Announcer;
}

export interface ItemChange {
  readonly before: ServiceItem | null;
  readonly after: ServiceItem;
}

/** Returns why hooks and drains could not be begun: each then does not answer, which its deadline tells. */
export async function announce(
  { before, after }: ItemChange,
  ports: AnnouncePorts,
): Promise<readonly string[]> {
  const refused: string[] = [];
  // First: what a deployment waits for must not wait for the messages, nor they for what AWS refuses.
  const calls = [
    ...callsIn(before, after).map((call) => () => ports.hooks.begin(call)),
    ...drainsIn(before, after).map((call) => () => ports.hooks.drain(call)),
  ];
  for (const begin of calls) {
    try {
      await begin();
    } catch (failure) {
      if (!(failure instanceof CutoverError) || failure.name !== 'Cutover.AwsRefused') throw failure;
      refused.push(failure.message);
    }
  }
  for (const chapter of chaptersOf(before, after)) {
    const message = messageOf(chapter);
    await ports.history.tell(chapter, message.text);
    if (isSpoken(chapter)) await ports.announcer.publish(message, chapter);
  }
  return refused;
}

/** The hooks that this change asks. */
function callsIn(before: ServiceItem | null, after: ServiceItem): readonly HookCall[] {
  const known = new Set(before?.hooks.map(({ key }) => key));
  const declared = after.deployment?.plan.settings.hooks ?? [];
  return after.hooks.flatMap((run): HookCall[] => {
    const hook = declared.find(({ name }) => name === run.hook);
    if (known.has(run.key) || hook === undefined) return [];
    const { service } = after;
    const { key, until } = run;
    return [
      { service, key, until, function: hook.function, retries: hook.retries, input: hookInput(after, run) },
    ];
  });
}

/** The instances that begin to drain with this change, or are handed on. */
function drainsIn(before: ServiceItem | null, after: ServiceItem): readonly DrainCall[] {
  const { service } = after;
  return begunIn(before, after).map(({ generation, instance, startedAt }) => ({
    service,
    generation,
    instance,
    function: drainOf(after)?.function ?? null,
    until: drainedUntil(after, startedAt),
  }));
}
