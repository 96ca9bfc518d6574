import { AsyncLocalStorage } from 'node:async_hooks';
import { Invalid } from '@millrace/errors';
import { checkDurability, type PreparedChange, prepareChange, versionConflict } from '../change.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { Indexes } from '../indexes.ts';
import { checkKey } from '../key.ts';
import { checkInboxPosition } from '../messages.ts';
import type {
  Change,
  Collection,
  CommitResult,
  Decision,
  Durability,
  Filter,
  InboxPosition,
  NewMessage,
  Page,
  Query,
  Stored,
  UpdateOptions,
} from '../port.ts';
import { checkFilter, checkQuery, MAX_PAGE } from '../query.ts';
import { traced } from '../tracing.ts';
import type { Database } from './database.ts';
import { type DocumentRow, DocumentTable } from './document-table.ts';
import type { GroupCommit } from './group-commit.ts';
import type { SqliteInbox } from './inbox.ts';
import type { SqliteOutbox } from './outbox.ts';
import { countRows, readPlaces } from './page-reader.ts';

export interface SqliteCollectionOptions {
  readonly name: string;
  readonly indexes: Indexes;
  readonly service: string;
  readonly database: Database;
  readonly writer: GroupCommit;
  readonly outbox: SqliteOutbox;
  readonly inbox: SqliteInbox;
}

const toStored = <T>({ key, version, document }: DocumentRow): Stored<T> => ({
  key,
  version,
  document: JSON.parse(document) as T,
});

export class SqliteCollection<T extends object> implements Collection<T> {
  readonly #name: string;
  readonly #indexes: Indexes;
  readonly #service: string;
  readonly #database: Database;
  readonly #writer: GroupCommit;
  readonly #outbox: SqliteOutbox;
  readonly #inbox: SqliteInbox;
  readonly #table: DocumentTable;

  constructor(options: SqliteCollectionOptions) {
    this.#name = options.name;
    this.#indexes = options.indexes;
    this.#service = options.service;
    this.#database = options.database;
    this.#writer = options.writer;
    this.#outbox = options.outbox;
    this.#inbox = options.inbox;
    this.#table = new DocumentTable(options.database, options.name, options.indexes);
  }

  get(key: string): Promise<Stored<T> | undefined> {
    return this.#traced('get', async () => this.#read(checkKey(key)));
  }

  getMany(keys: readonly string[]): Promise<readonly Stored<T>[]> {
    return this.#traced('getMany', async () => {
      if (keys.length > MAX_PAGE) throw Invalid.field('keys', `are more than ${MAX_PAGE}`);
      return this.#readMany(keys.map((key, index) => checkKey(key, `keys[${index}]`)));
    });
  }

  find(query: Query = {}): Promise<Page<T>> {
    return this.#traced('find', async () => {
      const checked = checkQuery(this.#indexes, query);
      const after = query.cursor === undefined ? undefined : decodeCursor(this.#name, checked, query.cursor);
      const places = readPlaces(this.#database, this.#name, checked, checked.limit + 1, after);
      const page = places.slice(0, checked.limit);
      const items = this.#readMany(page.map(({ key }) => key));
      const last = page.at(-1);
      if (places.length <= checked.limit || last === undefined) return { items };
      return { items, nextCursor: encodeCursor(this.#name, checked, last) };
    });
  }

  count(filter?: Filter): Promise<number> {
    return this.#traced('count', async () =>
      countRows(this.#database, this.#name, checkFilter(this.#indexes, filter)),
    );
  }

  commit(change: Change<T>): Promise<CommitResult<T>> {
    return this.#traced('commit', async () => {
      const prepared = prepareChange<T>(this.#indexes, change);
      return this.#recording(prepared.handled, () => this.#apply(prepared));
    });
  }

  async insert(key: string, document: T, messages: readonly NewMessage[] = []): Promise<Stored<T>> {
    const result = await this.commit({ key, expected: 0, document, messages });
    if (result.status === 'committed' && result.stored !== undefined) return result.stored;
    throw Invalid.field('document', 'must not be null');
  }

  update(
    key: string,
    decide: (current: Stored<T> | undefined) => Decision<T> | undefined,
    { handled, durability = 'full' }: UpdateOptions = {},
  ): Promise<Stored<T> | undefined> {
    return this.#traced('update', async () => {
      checkKey(key);
      if (handled !== undefined) checkInboxPosition(handled, 'handled');
      // The decision is taken inside the transaction, where nobody can be faster, but in the caller's context.
      const inCallersContext = AsyncLocalStorage.snapshot();
      const write = () =>
        inCallersContext(() => {
          const current = this.#read(key);
          if (handled !== undefined && this.#inbox.includes(handled)) return current;
          const decision = decide(current);
          if (decision === undefined) {
            if (handled !== undefined) this.#inbox.record(handled);
            return current;
          }
          checkDurability(decision, durability);
          const expected = current?.version ?? 0;
          const change = { ...decision, key, expected, handled };
          const result = this.#apply(prepareChange<T>(this.#indexes, change));
          return result.status === 'committed' ? result.stored : current;
        });
      return this.#recording(handled, write, durability);
    });
  }

  async *scan(filter?: Filter): AsyncGenerator<Stored<T>> {
    let cursor: string | undefined;
    do {
      const page: Page<T> = await this.find({ filter, cursor, limit: MAX_PAGE });
      yield* page.items;
      cursor = page.nextCursor;
    } while (cursor !== undefined);
  }

  /** A write that records the position of what is handled, if anything is. */
  async #recording<R>(
    handled: InboxPosition | undefined,
    write: () => R,
    durability: Durability = 'full',
  ): Promise<R> {
    const result = await this.#writer.run(write, durability);
    if (handled !== undefined) this.#inbox.committed(handled);
    return result;
  }

  #read(key: string): Stored<T> | undefined {
    const row = this.#table.get(key);
    return row === undefined ? undefined : toStored<T>(row);
  }

  #readMany(keys: readonly string[]): readonly Stored<T>[] {
    if (keys.length === 0) return [];
    const rows = new Map(this.#table.getMany(keys).map((row) => [row.key, row]));
    return keys.flatMap((key) => {
      const row = rows.get(key);
      return row === undefined ? [] : [toStored<T>(row)];
    });
  }

  /** Within a transaction. What can refuse the change comes before or in its first write. */
  #apply(change: PreparedChange<T>): CommitResult<T> {
    const { key, expected, document, handled } = change;
    if (handled !== undefined && this.#inbox.includes(handled)) return { status: 'already_handled' };
    const version =
      document === null
        ? this.#table.remove(key, expected)
        : this.#table.put(key, expected, change.json, change.entries);
    if (version === undefined) {
      throw versionConflict(this.#name, key, expected, this.#table.get(key)?.version ?? 0);
    }
    this.#outbox.append(`${this.#name}/${key}`, change.messages);
    if (handled !== undefined) this.#inbox.record(handled);
    return { status: 'committed', stored: document === null ? undefined : { key, version, document } };
  }

  #traced<R>(operation: string, call: () => Promise<R>): Promise<R> {
    return traced({ system: 'sqlite', namespace: this.#service, operation, collection: this.#name }, call);
  }
}
