/** Records of the ledger table's stream, as Lambda gets them, become changes of service items. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import { ledgerTable } from '../core/ledger/ledger-table.ts';
import type { ServiceItem } from '../core/ledger/service-item.ts';
import { parseServiceItem } from './dynamo-ledger.ts';

const image = z.record(z.string(), z.custom<AttributeValue>());

/** https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html */
export const streamEvent = z.object({
  Records: z.array(
    z.object({
      eventName: z.string(),
      dynamodb: z.object({
        SequenceNumber: z.string(),
        NewImage: image.optional(),
        OldImage: image.optional(),
      }),
    }),
  ),
});
export type StreamRecord = z.infer<typeof streamEvent>['Records'][number];

/** Undefined for records of other items, and for a service item that was deleted. */
export function changeIn({
  dynamodb,
}: StreamRecord): { before: ServiceItem | null; after: ServiceItem } | undefined {
  const after = dynamodb.NewImage === undefined ? undefined : unmarshall(dynamodb.NewImage);
  if (after === undefined || after[ledgerTable.sortKey] !== ledgerTable.serviceItem) return undefined;
  const before = dynamodb.OldImage === undefined ? null : parseServiceItem(unmarshall(dynamodb.OldImage));
  return { before, after: parseServiceItem(after) };
}
