/** The ledger's record of a deployment, read as any client would, and in words. */
import type { QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { ledgerTable } from '../../functions/core/ledger/ledger-table.ts';
import { type Chapter, chapterSchema, recordPrefix } from '../../functions/core/messages/chapter.ts';
import type { Clock } from '../clock.ts';
import type { EmbeddedAws } from '../embedded-aws.ts';

/** The stream tells what happened a moment after it did. */
const untoldMs = 10_000;
const pollMs = 200;

/** Resolves when its end is told, or with what there is when it is not told in time. */
export async function readRecord(
  aws: EmbeddedAws,
  clock: Clock,
  of: { readonly table: string; readonly service: string; readonly deployment: string },
): Promise<readonly Chapter[]> {
  const deadline = clock.now() + untoldMs;
  for (;;) {
    const chapters = await query(aws, of);
    const ended = chapters.some(({ kind }) => kind === 'live' || kind === 'restored' || kind === 'removed');
    if (ended || clock.now() >= deadline) return chapters;
    await clock.sleep(pollMs);
  }
}

/** `launch 312 ms, shift 40 ms; wrote ecs:CreateService, 2 × elasticloadbalancing:ModifyRule` */
export function recordInWords(chapters: readonly Chapter[]): string {
  const took = chapters.flatMap(({ kind, intent, at }) =>
    kind === 'done' && intent !== null ? [`${intent.kind} ${at - intent.at} ms`] : [],
  );
  const wrote = [...writesIn(chapters)].map(([action, count]) =>
    count === 1 ? action : `${count} × ${action}`,
  );
  return [took.join(', '), ...(wrote.length === 0 ? [] : [`wrote ${wrote.join(', ')}`])].join('; ');
}

/** Calls that change something beside the ledger. An invocation may have told several chapters: the last one knows all. */
function writesIn(chapters: readonly Chapter[]): ReadonlyMap<string, number> {
  const invocations = new Map(
    chapters.flatMap(({ written }) => (written === null ? [] : [[written.request, written.calls] as const])),
  );
  const writes = new Map<string, number>();
  for (const [action, { count }] of [...invocations.values()].flatMap((calls) => Object.entries(calls))) {
    if (/^dynamodb:|:(?:Describe|List|(?:Batch)?Get|Query)/.test(action)) continue;
    writes.set(action, (writes.get(action) ?? 0) + count);
  }
  return writes;
}

async function query(
  aws: EmbeddedAws,
  { table, service, deployment }: Parameters<typeof readRecord>[2],
): Promise<readonly Chapter[]> {
  const input = {
    TableName: table,
    KeyConditionExpression: '#service = :service AND begins_with(#item, :record)',
    ExpressionAttributeNames: { '#service': ledgerTable.partitionKey, '#item': ledgerTable.sortKey },
    ExpressionAttributeValues: marshall({ ':service': service, ':record': recordPrefix(deployment) }),
  };
  const { Items } = (await aws.dispatcher.call('dynamodb', 'Query', input, {
    kind: 'root',
  })) as QueryCommandOutput;
  return (Items ?? []).map((item) => chapterSchema.parse(unmarshall(item)));
}
