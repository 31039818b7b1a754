import type { ServiceItem } from '../core/ledger/service-item.ts';
import type { Chapter } from '../core/messages/chapter.ts';
import type { ServiceName } from '../core/names.ts';

/** The service items, changed one conditional write at a time. */
export interface Ledger {
  /** A consistent read; a service that was never deployed is an empty item of version 0. */
  read(service: ServiceName): Promise<ServiceItem>;
  /**
   * Reads, decides and writes under compare-and-set. `decide` is pure and may run again when somebody else wrote in
   * between; returning the item that it was given writes nothing. What it throws is thrown, and nothing is written.
   */
  change<T extends { readonly item: ServiceItem }>(
    service: ServiceName,
    decide: (item: ServiceItem) => T,
  ): Promise<T>;
  /** Services that an execution holds, a push waits for, that retain a generation, that are owed their scaling, whose instances drain, or whose orphans are to be ended. Eventually consistent: what has just begun may be missing. */
  open(): Promise<readonly ServiceName[]>;
}

/** The story of deployments, told once: a chapter that is there already stays as it is. */
export interface History {
  /** `text` is the chapter as people read it. */
  tell(chapter: Chapter, text: string): Promise<void>;
}
