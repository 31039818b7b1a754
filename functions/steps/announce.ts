/**
 * Tells what a change of the service item means: first to the ledger's history, then to people. Changes nothing that a
 * deployment depends on. A repeat finds the history told and sends the message again, with the same id.
 */

import { isSpoken } from '../core/chapter.ts';
import { messageOf } from '../core/message.ts';
import type { ServiceItem } from '../core/service-item.ts';
import { chaptersOf } from '../core/story.ts';
import type { Announcer } from '../ports/announcer.ts';
import type { History } from '../ports/ledger.ts';

export interface AnnouncePorts {
  readonly history: History;
  readonly announcer: Announcer;
}

export interface ItemChange {
  readonly before: ServiceItem | null;
  readonly after: ServiceItem;
}

export async function announce({ before, after }: ItemChange, ports: AnnouncePorts): Promise<void> {
  for (const chapter of chaptersOf(before, after)) {
    const message = messageOf(chapter);
    await ports.history.tell(chapter, message.text);
    if (isSpoken(chapter)) await ports.announcer.publish(message, chapter);
  }
}
