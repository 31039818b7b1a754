/** What the screen and the scenario see of a service: its item in the ledger and its slots, read as any client would. */

import type { GetItemCommandOutput, PutItemCommandInput } from '@aws-sdk/client-dynamodb';
import type {
  DescribeRulesCommandOutput,
  DescribeTargetHealthCommandOutput,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { marshall, unmarshall } from '@aws-sdk/util-dynamodb';
import type { Generation } from '../../functions/core/fleet/generation.ts';
import { ledgerTable } from '../../functions/core/ledger/ledger-table.ts';
import { type ServiceItem, serviceItem } from '../../functions/core/ledger/service-item.ts';
import type { ServiceSettings } from '../../functions/core/service-settings.ts';
import type { EmbeddedAws } from '../embedded-aws.ts';
import type { PendingCall } from '../wire/call-log.ts';

export interface SlotView {
  readonly name: string;
  readonly weight: number;
  readonly healthy: number;
  readonly targets: number;
  /** Given to whoever lives in the slot now. */
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
  return Item === undefined ? undefined : readItem(Item);
}

/** The service item that this call puts into the ledger; undefined for any other call. */
export function serviceItemPut(
  { service: of, operation, input }: PendingCall,
  table: string,
  service: string,
): ServiceItem | undefined {
  if (of !== 'dynamodb' || operation !== 'PutItem') return undefined;
  const { TableName, Item = {} } = input as PutItemCommandInput;
  const put = TableName === table && Item[ledgerTable.sortKey]?.S === ledgerTable.serviceItem;
  return put && Item[ledgerTable.partitionKey]?.S === service ? readItem(Item) : undefined;
}

function readItem(item: Parameters<typeof unmarshall>[0]): ServiceItem {
  const { [ledgerTable.sortKey]: _item, [ledgerTable.openKey]: _open, ...own } = unmarshall(item);
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

/** Turns the requests of a slot into those of the generation that lives in it. */
export class TenantCounts {
  readonly #since = new Map<string, { readonly tenant: string; readonly requests: number }>();

  count(slots: readonly SlotView[], item: ServiceItem | undefined): readonly SlotView[] {
    return slots.map((slot) => {
      const tenant = tenantOf(slot.name, item)?.name ?? '';
      let since = this.#since.get(slot.name);
      if (since?.tenant !== tenant) {
        // What was counted before the first tenant is its own: the rule points to it from the start.
        since = { tenant, requests: since === undefined ? 0 : slot.requests };
        this.#since.set(slot.name, since);
      }
      return { ...slot, requests: tenant === '' ? 0 : slot.requests - since.requests };
    });
  }
}

/** The generation that lives in a slot: the coming one, the live one, or one that is kept. */
export function tenantOf(slot: string, item: ServiceItem | undefined): Generation | undefined {
  if (item === undefined) return undefined;
  const { live, retained, deployment } = item;
  const coming = deployment !== null && deployment.outcome === null ? deployment.plan.to : null;
  const all = [coming, live, ...retained.map(({ generation }) => generation)];
  return all.find((generation) => generation?.slot === slot) ?? undefined;
}

function ask(aws: EmbeddedAws, service: string, operation: string, input: object): Promise<unknown> {
  return aws.dispatcher.call(service, operation, input, { kind: 'root' });
}
