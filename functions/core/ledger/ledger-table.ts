/** The ledger table's shape, for the construct that makes it and the adapters that read it. */
export const ledgerTable = {
  partitionKey: 'service',
  sortKey: 'item',
  /** A sparse index of the services with something open: only items with an owner, a waiting push, a retained generation or orphans to be ended carry its key. */
  openIndex: 'open',
  openKey: 'open',
  openValue: 'yes',
  /** The sort key of the service item. */
  serviceItem: 'service',
} as const;
