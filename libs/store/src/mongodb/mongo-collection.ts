import { AsyncLocalStorage } from 'node:async_hooks';
import { Invalid } from '@millrace/errors';
import { checkDurability, prepareChange } from '../change.ts';
import { decodeCursor, encodeCursor } from '../cursor.ts';
import type { Indexes } from '../indexes.ts';
import { checkKey } from '../key.ts';
import { checkInboxPosition } from '../messages.ts';
import type {
  Change,
  Collection,
  CommitResult,
  Decision,
  Filter,
  NewMessage,
  Page,
  Query,
  Stored,
  UpdateOptions,
} from '../port.ts';
import { checkFilter, checkQuery, MAX_PAGE } from '../query.ts';
import { traced } from '../tracing.ts';
import { prepareCollection } from './collection-schema.ts';
import type { CommitRequest, Decided } from './commit-request.ts';
import { type Connection, LONG_WORK_MS } from './connection.ts';
import { applyChange, type DocumentState } from './document-state.ts';
import { filterQuery } from './filter-query.ts';
import type { GroupCommit } from './group-commit.ts';
import type { Tables } from './layout.ts';
import { live, type ReadRecord, readByKeys, readPage } from './page-reader.ts';

export interface MongoCollectionOptions {
  readonly name: string;
  readonly indexes: Indexes;
  readonly service: string;
  readonly connection: Connection;
  readonly writer: GroupCommit;
}

const toStored = <T>({ key, version, json }: ReadRecord): Stored<T> => ({
  key,
  version,
  document: JSON.parse(json) as T,
});

const currentOf = <T>({ key, version, json }: DocumentState): Stored<T> | undefined =>
  json === undefined ? undefined : toStored<T>({ key, version, json });

export class MongoCollection<T extends object> implements Collection<T> {
  readonly #name: string;
  readonly #indexes: Indexes;
  readonly #service: string;
  readonly #connection: Connection;
  readonly #writer: GroupCommit;
  #prepared: Promise<void> | undefined;

  constructor({ name, indexes, service, connection, writer }: MongoCollectionOptions) {
    this.#name = name;
    this.#indexes = indexes;
    this.#service = service;
    this.#connection = connection;
    this.#writer = writer;
  }

  get(key: string): Promise<Stored<T> | undefined> {
    return this.#traced('get', async () => (await this.#readMany([checkKey(key)]))[0]);
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
      const places = await this.#run((tables) =>
        readPage(tables.documents(this.#name), checked, checked.limit + 1, after),
      );
      const page = places.slice(0, checked.limit);
      const items = page.map((place) => toStored<T>(place));
      const last = page.at(-1);
      if (places.length <= checked.limit || last === undefined) return { items };
      return { items, nextCursor: encodeCursor(this.#name, checked, { value: last.value, key: last.key }) };
    });
  }

  count(filter?: Filter): Promise<number> {
    return this.#traced('count', async () => {
      const query = filterQuery(checkFilter(this.#indexes, filter));
      return this.#run((tables) => tables.documents(this.#name).countDocuments({ $and: [query, live] }));
    });
  }

  commit(change: Change<T>): Promise<CommitResult<T>> {
    return this.#traced('commit', async () => {
      const prepared = prepareChange<T>(this.#indexes, change);
      const { key, handled } = prepared;
      const decide = (state: DocumentState, alreadyHandled: boolean): Decided =>
        alreadyHandled ? { state, result: { status: 'already_handled' } } : applyChange(state, prepared);
      return (await this.#request({ key, handled, decide })) as CommitResult<T>;
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
    options: UpdateOptions = {},
  ): Promise<Stored<T> | undefined> {
    return this.#traced('update', async () => {
      checkKey(key);
      const { handled } = options;
      if (handled !== undefined) checkInboxPosition(handled, 'handled');
      const inCallersContext = AsyncLocalStorage.snapshot();
      const request = {
        key,
        handled,
        decide: (state: DocumentState, alreadyHandled: boolean): Decided =>
          inCallersContext(() => this.#decideUpdate(state, alreadyHandled, decide, options)),
      };
      return (await this.#request(request)) as Stored<T> | undefined;
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

  #decideUpdate(
    state: DocumentState,
    alreadyHandled: boolean,
    decide: (current: Stored<T> | undefined) => Decision<T> | undefined,
    { handled, durability = 'full' }: UpdateOptions,
  ): Decided {
    const current = currentOf<T>(state);
    if (alreadyHandled) return { state, result: current };
    const decision = decide(current);
    if (decision === undefined) {
      return { state, result: current, ...(handled === undefined ? {} : { advance: handled }) };
    }
    checkDurability(decision, durability);
    const change = { ...decision, key: state.key, expected: current?.version ?? 0, handled };
    const { state: after, result } = applyChange(state, prepareChange<T>(this.#indexes, change));
    return { state: after, result: result.status === 'committed' ? result.stored : current };
  }

  #request(request: Pick<CommitRequest, 'key' | 'handled' | 'decide'>): Promise<unknown> {
    const prepare = (): Promise<void> => this.#prepare();
    return this.#writer.run({ ...request, collection: this.#name, indexes: this.#indexes, prepare });
  }

  async #readMany(keys: readonly string[]): Promise<readonly Stored<T>[]> {
    const records = await this.#run((tables) => readByKeys(tables.documents(this.#name), keys));
    return keys.flatMap((key) => {
      const record = records.get(key);
      return record === undefined ? [] : [toStored<T>(record)];
    });
  }

  async #run<R>(call: (tables: Tables) => Promise<R>): Promise<R> {
    await this.#prepare();
    return this.#connection.run(call);
  }

  /** Before the first call that needs the indexes; after a failure again. */
  #prepare(): Promise<void> {
    this.#prepared ??= this.#connection
      .run((tables) => prepareCollection(tables, this.#name, this.#indexes), LONG_WORK_MS)
      .catch((thrown: unknown) => {
        this.#prepared = undefined;
        throw thrown;
      });
    return this.#prepared;
  }

  #traced<R>(operation: string, call: () => Promise<R>): Promise<R> {
    return traced({ system: 'mongodb', namespace: this.#service, operation, collection: this.#name }, call);
  }
}
