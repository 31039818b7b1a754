/**
 * dynalite in process, without its HTTP: its validations and actions on its in-memory store. Each change of an item is
 * reported from inside the item's lock, so the changes of one item come in their order.
 */
import batchGetItem from 'dynalite/actions/batchGetItem.js';
import batchWriteItem from 'dynalite/actions/batchWriteItem.js';
import deleteItem from 'dynalite/actions/deleteItem.js';
import getItem from 'dynalite/actions/getItem.js';
import putItem from 'dynalite/actions/putItem.js';
import query from 'dynalite/actions/query.js';
import scan from 'dynalite/actions/scan.js';
import updateItem from 'dynalite/actions/updateItem.js';
import { type Callback, create, type ItemDb, type Json, type Row, type Store } from 'dynalite/db/index.js';
import * as batchGetItemRules from 'dynalite/validations/batchGetItem.js';
import * as batchWriteItemRules from 'dynalite/validations/batchWriteItem.js';
import * as createTableRules from 'dynalite/validations/createTable.js';
import * as deleteItemRules from 'dynalite/validations/deleteItem.js';
import * as getItemRules from 'dynalite/validations/getItem.js';
import { checkTypes, checkValidations } from 'dynalite/validations/index.js';
import * as putItemRules from 'dynalite/validations/putItem.js';
import * as queryRules from 'dynalite/validations/query.js';
import * as scanRules from 'dynalite/validations/scan.js';
import * as updateItemRules from 'dynalite/validations/updateItem.js';
import { accountId, region } from '../../account.ts';
import { AwsError } from '../../call.ts';

const rules = {
  BatchGetItem: batchGetItemRules,
  BatchWriteItem: batchWriteItemRules,
  CreateTable: createTableRules,
  DeleteItem: deleteItemRules,
  GetItem: getItemRules,
  PutItem: putItemRules,
  Query: queryRules,
  Scan: scanRules,
  UpdateItem: updateItemRules,
};

const actions = {
  BatchGetItem: batchGetItem,
  BatchWriteItem: batchWriteItem,
  DeleteItem: deleteItem,
  GetItem: getItem,
  PutItem: putItem,
  Query: query,
  Scan: scan,
  UpdateItem: updateItem,
};

export type Action = keyof typeof actions;

/** A write of one item: `before` absent for a new item, `after` absent for a deleted one. */
export interface Change {
  readonly table: string;
  readonly before: Row | undefined;
  readonly after: Row | undefined;
}

export interface Outcome {
  readonly output: Json;
  /** Set instead of a useful output when the action failed; with the item as the failed condition saw it. */
  readonly failure?: { readonly error: AwsError; readonly item: Row | undefined };
}

export class Engine {
  readonly #store: Store;
  readonly #onChange: (change: Change) => void;

  constructor(options: { onChange: (change: Change) => void }) {
    this.#store = create({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
    this.#store.tableDb.awsAccountId = accountId;
    this.#store.tableDb.awsRegion = region;
    this.#onChange = options.onChange;
  }

  /** Checks an input as DynamoDB does and returns it reduced to what dynalite knows. Throws `AwsError`. */
  check(operation: keyof typeof rules, input: Json): Json {
    const { types, custom } = rules[operation];
    try {
      const checked = checkTypes(input, types);
      checkValidations(checked, types, custom, this.#store);
      return checked;
    } catch (error) {
      throw asAwsError(error);
    }
  }

  async run(operation: Action, input: Json): Promise<Outcome> {
    const checked = this.check(operation, input);
    const { store, lastRead } = this.#observed();
    try {
      return { output: await settled<Json>((callback) => actions[operation](store, checked, callback)) };
    } catch (error) {
      return { output: {}, failure: { error: asAwsError(error), item: lastRead() } };
    }
  }

  async saveTable(name: string, table: Json): Promise<void> {
    await settled<void>((callback) => this.#store.tableDb.put(name, table, callback));
  }

  async deleteTable(
    name: string,
    indexes: readonly { type: 'Local' | 'Global'; name: string }[],
  ): Promise<void> {
    await settled<void>((callback) => this.#store.tableDb.del(name, callback));
    await settled<void>((callback) => this.#store.deleteItemDb(name, callback));
    for (const index of indexes) {
      await settled<void>((callback) => this.#store.deleteIndexDb(index.type, name, index.name, callback));
    }
  }

  async close(): Promise<void> {
    await settled<void>((callback) => this.#store.db.close((failure) => callback(failure, undefined)));
  }

  /** The store as one action sees it: what it reads under the item's lock is the "before" of what it writes. */
  #observed(): { store: Store; lastRead: () => Row | undefined } {
    const inner = this.#store;
    const onChange = this.#onChange;
    let last: Row | undefined;
    const store = Object.create(inner) as Store;
    store.getItemDb = (table) => {
      const items = inner.getItemDb(table);
      const before = new Map<string, Row | undefined>();
      const observed = Object.create(items) as ItemDb;
      observed.get = (key, callback) =>
        items.get(key, (failure, row) => {
          last = row === undefined ? undefined : copy(row);
          before.set(key, last);
          callback(failure, row);
        });
      observed.put = (key, row, callback) => {
        const after = copy(row);
        items.put(key, row, changed({ table, before: before.get(key), after }, callback));
      };
      observed.del = (key, callback) =>
        items.del(key, changed({ table, before: before.get(key), after: undefined }, callback));
      return observed;
    };
    const changed =
      (change: Change, callback: Callback<void>): Callback<void> =>
      (failure, result) => {
        if (failure === null || failure === undefined) onChange(change);
        callback(failure, result);
      };
    return { store, lastRead: () => last };
  }
}

function copy(row: Row): Row {
  return JSON.parse(JSON.stringify(row)) as Row;
}

function settled<T>(start: (callback: Callback<T>) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    start((failure, result) =>
      failure === null || failure === undefined ? resolve(result) : reject(failure),
    );
  });
}

/** dynalite's errors carry AWS's answer in `body`; anything else is a fault of our own and passes through. */
function asAwsError(error: unknown): AwsError {
  const { body, statusCode } = error as { body?: Record<string, string>; statusCode?: number };
  if (body === undefined) throw error;
  const code = (body['__type'] ?? 'InternalServerError').split('#').at(-1)!;
  return new AwsError(code, body['message'] ?? body['Message'] ?? '', { status: statusCode ?? 400 });
}
