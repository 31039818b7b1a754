/** An event as rules match it and targets get it. */
import { randomUUID } from 'node:crypto';
import { accountId, region } from '../../account.ts';
import type { AwsEvent } from '../../aws-event.ts';

export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** To the second: `2015-11-11T21:29:54Z`. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** The detail is copied: what its sender does to it later changes no delivery. */
export function busEvent(event: AwsEvent, at: number): BusEvent {
  return {
    version: '0',
    id: event.id ?? randomUUID(),
    'detail-type': event.detailType,
    source: event.source,
    account: accountId,
    time: toTheSecond(at),
    region,
    resources: [...event.resources],
    detail: JSON.parse(JSON.stringify(event.detail)) as unknown,
  };
}

export function toTheSecond(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}
