import { mkdir } from 'node:fs/promises';
import { dirname } from 'node:path';
import { asMillraceError, Invalid, messageOf } from '@millrace/errors';
import { type Indexes, indexesOf } from '../indexes.ts';
import type { Collection, CollectionDefinition, DocumentStore, Migration } from '../port.ts';
import { checkService } from '../service-name.ts';
import type { StoreLogger } from '../store-logger.ts';
import { Database, inMemory } from './database.ts';
import { prepareCollection } from './document-schema.ts';
import { GroupCommit } from './group-commit.ts';
import { SqliteInbox } from './inbox.ts';
import { runMigrations } from './migrations.ts';
import { SqliteOutbox } from './outbox.ts';
import { prepareSchema } from './schema.ts';
import { SqliteCollection } from './sqlite-collection.ts';

export interface SqliteStoreOptions {
  /** The database file; its folder is made. `:memory:` keeps everything in memory, until `close`. */
  readonly path: string;
  /** The service that owns the store; a store of another service is refused. */
  readonly service: string;
  /** How long a commit waits for another process to release its lock, milliseconds; default 5,000. */
  readonly busyPatienceMs?: number;
  /** Gives the time of commits; default the system's. */
  readonly now?: () => Date;
  readonly logger?: StoreLogger;
}

const DEFAULT_BUSY_PATIENCE_MS = 5_000;

interface OpenCollection {
  readonly indexes: Indexes;
  readonly collection: SqliteCollection<object>;
}

class SqliteDocumentStore implements DocumentStore {
  readonly outbox: SqliteOutbox;
  readonly inbox: SqliteInbox;
  readonly #database: Database;
  readonly #writer: GroupCommit;
  readonly #service: string;
  readonly #now: () => Date;
  readonly #collections = new Map<string, OpenCollection>();

  constructor(database: Database, options: SqliteStoreOptions) {
    this.#database = database;
    this.#service = options.service;
    this.#now = options.now ?? (() => new Date());
    this.#writer = new GroupCommit({
      service: options.service,
      database,
      busyPatienceMs: options.busyPatienceMs ?? DEFAULT_BUSY_PATIENCE_MS,
      onBegin: () => this.outbox.begin(),
      onCommitted: () => this.outbox.committed(),
    });
    this.outbox = new SqliteOutbox({
      database,
      writer: this.#writer,
      now: this.#now,
      onListenerError: (thrown) =>
        options.logger?.warn({ error: messageOf(thrown) }, 'a listener of the outbox failed'),
    });
    this.inbox = new SqliteInbox(database, this.#writer);
  }

  collection<T extends object>(definition: CollectionDefinition): Collection<T> {
    const indexes = indexesOf(definition);
    const { name } = definition;
    const known = this.#collections.get(name);
    if (known !== undefined) {
      if (JSON.stringify(known.indexes) === JSON.stringify(indexes)) {
        return known.collection as unknown as Collection<T>;
      }
      throw Invalid.field('indexes', `collection "${name}" is open with another definition`);
    }
    prepareCollection(this.#database, name, indexes);
    const collection = new SqliteCollection<T>({
      name,
      indexes,
      service: this.#service,
      database: this.#database,
      writer: this.#writer,
      outbox: this.outbox,
      inbox: this.inbox,
    });
    this.#collections.set(name, {
      indexes,
      collection: collection as unknown as SqliteCollection<object>,
    });
    return collection;
  }

  migrate(migrations: readonly Migration[]): Promise<void> {
    return runMigrations(this, migrations, {
      database: this.#database,
      writer: this.#writer,
      now: this.#now,
    });
  }

  async ping(): Promise<void> {
    this.#database.get('SELECT count(*) AS names FROM meta');
  }

  async sizeBytes(): Promise<number> {
    const found = this.#database.get<{ bytes: number }>(
      'SELECT page_count * page_size AS bytes FROM pragma_page_count(), pragma_page_size()',
    );
    return found?.bytes ?? 0;
  }

  async close(): Promise<void> {
    await this.#writer.close();
    this.#database.close();
  }
}

const makeFolder = async (path: string): Promise<void> => {
  try {
    if (path !== inMemory) await mkdir(dirname(path), { recursive: true });
  } catch (thrown) {
    throw asMillraceError(thrown);
  }
};

/** The store on a connection that is open; closes it when the store cannot be used. */
export const storeOn = (database: Database, options: SqliteStoreOptions): DocumentStore => {
  try {
    prepareSchema(database, options.service);
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  return new SqliteDocumentStore(database, options);
};

/**
 * Opens a store in one SQLite file, making it where there is none. Several processes may have it open at once.
 * Throws `FailedPrecondition` when the file cannot be opened, is of newer code or of another service.
 */
export const openSqliteStore = async (options: SqliteStoreOptions): Promise<DocumentStore> => {
  checkService(options.service);
  await makeFolder(options.path);
  return storeOn(new Database(options.path), options);
};
