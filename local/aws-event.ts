/** An event as AWS's services put it on the default bus; the bus adds id, account, region and version. */
export interface AwsEvent {
  /** Given by services that name their events (ECS gives each a UUID); else the bus makes one. */
  readonly id?: string;
  readonly source: string;
  readonly detailType: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** Puts an event on the default bus. Returns at once; delivery is the bus's business. */
export type Emit = (event: AwsEvent) => void;
