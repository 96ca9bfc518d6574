import { FailedPrecondition, Invalid, messageOf } from '@millrace/errors';
import { type Indexes, indexesOf } from '../indexes.ts';
import type { Collection, CollectionDefinition, DocumentStore, Migration } from '../port.ts';
import { checkService } from '../service-name.ts';
import type { StoreLogger } from '../store-logger.ts';
import { AccessFiles, type MongoAccess } from './access.ts';
import { Connection } from './connection.ts';
import { GroupCommit } from './group-commit.ts';
import { MongoInbox } from './inbox.ts';
import { BEING_RESTORED, LAYOUT, type Tables } from './layout.ts';
import { runMigrations } from './migrations.ts';
import { MongoCollection } from './mongo-collection.ts';
import { fromMongo, isDuplicate } from './mongo-error.ts';
import { MongoOutbox } from './outbox.ts';

export interface MongoStoreOptions {
  /** `mongodb://` or `mongodb+srv://`; a user and password in it, or in `access`. */
  readonly url: string;
  readonly access?: MongoAccess;
  /** The database; it holds this one store. */
  readonly database: string;
  /** The service that owns the store; a store of another service is refused. */
  readonly service: string;
  /** How long calls are tried again while MongoDB does not answer, milliseconds; default 15,000. */
  readonly patienceMs?: number;
  /** Gives the time of commits; default the system's. */
  readonly now?: () => Date;
  readonly logger?: StoreLogger;
}

/** An election after the loss of a primary takes about 12 s by MongoDB's defaults. */
const DEFAULT_PATIENCE_MS = 15_000;

interface OpenCollection {
  readonly indexes: Indexes;
  readonly collection: MongoCollection<object>;
}

class MongoDocumentStore implements DocumentStore {
  readonly outbox: MongoOutbox;
  readonly inbox: MongoInbox;
  readonly #connection: Connection;
  readonly #writer: GroupCommit;
  readonly #service: string;
  readonly #now: () => Date;
  readonly #collections = new Map<string, OpenCollection>();
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, { service, now = () => new Date(), logger }: MongoStoreOptions) {
    this.#connection = connection;
    this.#service = service;
    this.#now = now;
    this.inbox = new MongoInbox(connection, logger);
    this.outbox = new MongoOutbox({
      connection,
      now,
      onListenerError: (thrown) =>
        logger?.warn({ error: messageOf(thrown) }, 'a listener of the outbox failed'),
    });
    this.#writer = new GroupCommit({
      service,
      connection,
      inbox: this.inbox,
      now,
      onMessages: () => this.outbox.announce(),
    });
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
    const collection = new MongoCollection<T>({
      name,
      indexes,
      service: this.#service,
      connection: this.#connection,
      writer: this.#writer,
    });
    this.#collections.set(name, {
      indexes,
      collection: collection as unknown as MongoCollection<object>,
    });
    return collection;
  }

  migrate(migrations: readonly Migration[]): Promise<void> {
    return runMigrations(this, migrations, { connection: this.#connection, now: this.#now });
  }

  async ping(): Promise<void> {
    try {
      await this.#connection.once(({ db }) => db.command({ ping: 1 }));
    } catch (thrown) {
      throw fromMongo(thrown);
    }
  }

  async sizeBytes(): Promise<number> {
    try {
      const stats = await this.#connection.once(({ db }) => db.stats());
      return stats.storageSize + stats.indexSize;
    } catch (thrown) {
      throw fromMongo(thrown);
    }
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#writer.close();
    await this.inbox.close();
    await this.#connection.close();
  }
}

/** Leaves what is there as it is. */
const insertMeta = async ({ meta }: Tables, _id: string, values: object): Promise<void> => {
  try {
    await meta.updateOne({ _id }, { $setOnInsert: values }, { upsert: true });
  } catch (thrown) {
    // Another process was faster.
    if (!isDuplicate(thrown)) throw thrown;
  }
};

/** Makes the store's own records. Throws `FailedPrecondition` on newer code's or another service's store. */
const prepareStore = async (tables: Tables, service: string): Promise<void> => {
  await insertMeta(tables, 'store', { service, layout: LAYOUT });
  await insertMeta(tables, 'positions', { value: 0 });
  const found = await tables.meta.findOne({ _id: 'store' });
  if ((found?.layout ?? 0) > LAYOUT) {
    throw new FailedPrecondition(`store: its layout ${found?.layout} is newer than this code's ${LAYOUT}`, {
      hint: 'Run the version of Millrace that wrote it, or a newer one.',
    });
  }
  if (found?.service === BEING_RESTORED) {
    throw new FailedPrecondition('store: its restore is under way, or did not end', {
      hint: 'Restore it again: `millrace restore --force`.',
    });
  }
  if (found?.service !== service) {
    throw new FailedPrecondition(`store: it belongs to service "${found?.service}", not "${service}"`, {
      hint: 'Give each service a database of its own.',
    });
  }
  await tables.outbox.createIndexes([
    { name: 'history', key: { entity: 1, sequence: 1 }, sparse: true },
    { name: 'sent', key: { sentTime: 1 } },
  ]);
};

/** A single server acknowledges what its loss takes away. */
const warnWhenAlone = async ({ db }: Tables, logger: StoreLogger | undefined): Promise<void> => {
  const { setName, msg } = await db
    .command({ hello: 1 })
    .catch(() => ({ setName: undefined, msg: undefined }));
  if (setName !== undefined || msg === 'isdbgrid') return;
  logger?.warn({}, 'MongoDB is no replica set: what is committed is only as safe as this one server');
};

/**
 * Opens a store in one MongoDB database, making it where there is none. Several processes may have it open at
 * once. Throws `Unavailable` when MongoDB does not answer, `FailedPrecondition` when the database is of newer
 * code or of another service, or the user may not write it.
 */
export const openMongoStore = async (options: MongoStoreOptions): Promise<DocumentStore> => {
  checkService(options.service);
  const { url, database, patienceMs = DEFAULT_PATIENCE_MS } = options;
  const { logger } = options;
  const access = await AccessFiles.open(options.access ?? {}, { url, database, logger });
  const connection = new Connection({ url, database, access, patienceMs });
  try {
    await connection.run((tables) => prepareStore(tables, options.service));
    await connection.once((tables) => warnWhenAlone(tables, options.logger));
    return new MongoDocumentStore(connection, options);
  } catch (thrown) {
    await connection.close();
    throw fromMongo(thrown);
  }
};
