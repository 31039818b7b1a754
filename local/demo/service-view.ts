/** What the screen and the scenario see of a service: its item in the ledger and its slots, read as any client would. */

import type { GetItemCommandOutput } from '@aws-sdk/client-dynamodb';
import type {
  DescribeRulesCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import { ledgerTable } from '../../functions/core/ledger-table.ts';
import { type ServiceItem, serviceItem } from '../../functions/core/service-item.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { EmbeddedAws } from '../embedded-aws.ts';

export interface SlotView {
  readonly name: string;
  readonly weight: number;
  readonly healthy: number;
  readonly targets: number;
  /** Answered since the start. */
  readonly requests: number;
}

/** Undefined before anything was pushed. */
export async function readServiceItem(
  aws: EmbeddedAws,
  table: string,
  service: string,
): Promise<ServiceItem | undefined> {
  const Key = marshall({
    [ledgerTable.partitionKey]: service,
    [ledgerTable.sortKey]: ledgerTable.serviceItem,
  });
  const { Item } = (await ask(aws, 'dynamodb', 'GetItem', {
    TableName: table,
    Key,
    ConsistentRead: true,
  })) as GetItemCommandOutput;
  if (Item === undefined) return undefined;
  const { [ledgerTable.sortKey]: _item, [ledgerTable.openKey]: _open, ...own } = unmarshall(Item);
  return serviceItem.parse(own);
}

export async function readSlots(
  aws: EmbeddedAws,
  { traffic }: ServiceSettings,
): Promise<readonly SlotView[]> {
  const rules = (await ask(aws, 'elasticloadbalancing', 'DescribeRules', {
    RuleArns: [traffic.rule],
  })) as DescribeRulesCommandOutput;
  const groups = rules.Rules?.[0]?.Actions?.[0]?.ForwardConfig?.TargetGroups ?? [];
  const requests = aws.elbv2.requestsByTargetGroup();
  return Promise.all(
    traffic.slots.map(async ({ name, targetGroup }) => {
      const health = (await ask(aws, 'elasticloadbalancing', 'DescribeTargetHealth', {
        TargetGroupArn: targetGroup,
      })) as DescribeTargetHealthCommandOutput;
      const states = (health.TargetHealthDescriptions ?? []).map(({ TargetHealth }) => TargetHealth?.State);
      return {
        name,
        weight: groups.find(({ TargetGroupArn }) => TargetGroupArn === targetGroup)?.Weight ?? 0,
        healthy: states.filter((state) => state === 'healthy').length,
        targets: states.filter((state) => state !== 'draining').length,
        requests: requests.get(targetGroup) ?? 0,
      };
    }),
  );
}

function ask(aws: EmbeddedAws, service: string, operation: string, input: object): Promise<unknown> {
  return aws.dispatcher.call(service, operation, input, { kind: 'root' });
}
