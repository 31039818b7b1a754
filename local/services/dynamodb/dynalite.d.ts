/** What the embedded DynamoDB uses of dynalite, which ships no types. */

declare module 'dynalite/db/index.js' {
  export type Json = Record<string, unknown>;
  export type Callback<T> = (failure: unknown, result: T) => void;
  export type Row = Record<string, Record<string, unknown>>;

  export interface ItemDb {
    get(key: string, callback: Callback<Row | undefined>): void;
    put(key: string, value: Row, callback: Callback<void>): void;
    del(key: string, callback: Callback<void>): void;
  }

  export interface TableDb {
    awsAccountId: string;
    awsRegion: string;
    put(name: string, table: Json, callback: Callback<void>): void;
    del(name: string, callback: Callback<void>): void;
  }

  export interface Store {
    readonly tableDb: TableDb;
    readonly db: { close(callback: (failure: unknown) => void): void };
    getItemDb(table: string): ItemDb;
    deleteItemDb(table: string, callback: Callback<void>): void;
    deleteIndexDb(type: 'Local' | 'Global', table: string, index: string, callback: Callback<void>): void;
  }

  export function create(options: Json): Store;
  /** In bytes, as DynamoDB counts an item. */
  export function itemSize(item: Row): number;
}

declare module 'dynalite/validations/index.js' {
  import type { Json, Store } from 'dynalite/db/index.js';

  export type Types = Record<string, unknown>;
  export type Custom = (input: Json, store: Store) => string | undefined;
  export function checkTypes(input: Json, types: Types): Json;
  export function checkValidations(input: Json, types: Types, custom: Custom | undefined, store: Store): void;
}

declare module 'dynalite/validations/*' {
  import type { Custom, Types } from 'dynalite/validations/index.js';

  export const types: Types;
  export const custom: Custom | undefined;
}

declare module 'dynalite/actions/*' {
  import type { Callback, Json, Store } from 'dynalite/db/index.js';

  function action(store: Store, input: Json, callback: Callback<Json>): void;
  export = action;
}
