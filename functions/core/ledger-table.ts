/** The ledger table's shape, for the construct that makes it and the adapters that read it. */
export const ledgerTable = {
  partitionKey: 'service',
  sortKey: 'item',
  /** A sparse index of the services that an execution holds: only service items with an owner carry its key. */
  ownedIndex: 'owned',
  ownedKey: 'owned',
  ownedValue: 'yes',
  /** The sort key of the service item. */
  serviceItem: 'service',
} as const;
