import type { Chapter } from '../core/messages/chapter.ts';
import type { Message } from '../core/messages/message.ts';

/** Tells people and programs. */
export interface Announcer {
  /** `text` for people, the chapter as JSON for programs. At least once: receivers know a repeat by its id. */
  publish(message: Message, chapter: Chapter): Promise<void>;
}
