/** Keys of the ledger table; the construct makes the table by the same names. */

/** `service` is the partition key, `item` the sort key. */
export function serviceItemKey(service: string): { service: string; item: string } {
  return { service, item: 'service' };
}

/** A sparse index of the services that an execution holds: only service items with an owner carry the attribute. */
export const ownedIndex = { name: 'owned', key: 'owned', value: 'yes' } as const;
