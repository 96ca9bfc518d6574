import { FailedPrecondition, messageOf, Unavailable } from '@millrace/errors';
import { type ClientSession, type Document, type MongoClient, MongoError, MongoServerError } from 'mongodb';
import { fromMongo, isTransient } from './mongo-error.ts';
import { type CopiedDocument, writeStoreLines } from './store-lines.ts';
import { collectionsOf, connectToStores, databaseOf, type MongoStoresOptions } from './stores-client.ts';

export interface FreezeMongoStoresOptions extends MongoStoresOptions {
  /** No service runs, says the operator: then no snapshot is needed, and that nothing changes is checked. */
  readonly stopped: boolean;
}

export interface FrozenMongoStores {
  /** Those that have a store. */
  readonly services: readonly string[];
  /** ISO 8601: everything that was acknowledged before this moment is in the copies. */
  readonly cutAt: string;
  /** Writes the store of a service to a new file. Throws `Unavailable` when MongoDB no longer has the snapshot. */
  copyTo(service: string, path: string): Promise<void>;
  /** After the last copy. Throws `FailedPrecondition` when the copies are not of one moment. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** What every commit, and every message that is sent, changes: how many documents there are, or one of the counts in them. */
interface Fingerprint {
  documents: number;
  counts: number;
}

const counted = ['revision', 'sequence', 'value', 'beat'] as const;
const countProjection = Object.fromEntries(counted.map((field) => [field, 1]));

const addTo = (fingerprint: Fingerprint, document: Document): void => {
  fingerprint.documents += 1;
  // As text, in which all types of numbers are alike.
  for (const field of counted) fingerprint.counts += Number(String(document[field])) || 0;
};

/** As they are in MongoDB: the driver would make one type of all numbers. */
const asStored = { promoteValues: false, promoteLongs: false, sort: { _id: 1 } } as const;

class FrozenStores implements FrozenMongoStores {
  readonly services: readonly string[];
  readonly cutAt: string;
  readonly #client: MongoClient;
  /** Absent when the services are stopped. */
  readonly #session: ClientSession | undefined;
  readonly #copied = new Map<string, Fingerprint>();

  constructor(
    client: MongoClient,
    session: ClientSession | undefined,
    services: readonly string[],
    cutAt: string,
  ) {
    this.#client = client;
    this.#session = session;
    this.services = services;
    this.cutAt = cutAt;
  }

  async copyTo(service: string, path: string): Promise<void> {
    try {
      await writeStoreLines(path, this.#documents(service));
    } catch (thrown) {
      throw snapshotIsGone(thrown) ?? (thrown instanceof MongoError ? fromMongo(thrown) : thrown);
    }
  }

  /**
   * Nothing to do for a snapshot. Otherwise each collection, looked at after the last was copied, must be as it was
   * copied; then the copies show the moment between.
   */
  async check(): Promise<void> {
    if (this.#session !== undefined) return;
    try {
      const found = new Map<string, Fingerprint>();
      for (const service of this.services) await this.#look(service, found);
      for (const name of new Set([...found.keys(), ...this.#copied.keys()])) {
        if (JSON.stringify(found.get(name)) !== JSON.stringify(this.#copied.get(name))) throw changed(name);
      }
    } catch (thrown) {
      throw fromMongo(thrown);
    }
  }

  async close(): Promise<void> {
    await this.#session?.endSession();
    await this.#client.close();
  }

  async *#documents(service: string): AsyncGenerator<CopiedDocument> {
    const db = this.#client.db(databaseOf(service));
    const within = this.#session === undefined ? {} : { session: this.#session };
    // A list is not part of a snapshot; no collection is ever dropped, and a newer one is empty in it.
    for (const collection of await collectionsOf(db)) {
      const fingerprint: Fingerprint = { documents: 0, counts: 0 };
      for await (const document of db.collection(collection).find({}, { ...asStored, ...within })) {
        addTo(fingerprint, document);
        yield { collection, document };
      }
      this.#copied.set(`${db.databaseName}.${collection}`, fingerprint);
    }
  }

  async #look(service: string, found: Map<string, Fingerprint>): Promise<void> {
    const db = this.#client.db(databaseOf(service));
    for (const collection of await collectionsOf(db)) {
      const fingerprint: Fingerprint = { documents: 0, counts: 0 };
      const documents = db.collection(collection).find({}, { projection: countProjection });
      for await (const document of documents) addTo(fingerprint, document);
      found.set(`${db.databaseName}.${collection}`, fingerprint);
    }
  }
}

const changed = (name: string): FailedPrecondition =>
  new FailedPrecondition(`store: ${name} changed while it was copied, so that a service runs`, {
    hint: 'Stop every service first; or, on a replica set, leave --stopped out.',
  });

// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
const snapshotTooOld = 239;
const snapshotUnavailable = 246;

const snapshotIsGone = (thrown: unknown): Unavailable | undefined => {
  const isGone =
    thrown instanceof MongoServerError &&
    (thrown.code === snapshotTooOld || thrown.code === snapshotUnavailable);
  if (!isGone) return undefined;
  return new Unavailable(`store: MongoDB no longer has the snapshot: ${messageOf(thrown)}`, {
    cause: thrown,
    hint: 'Try again; where the copy takes more than 5 minutes, raise minSnapshotHistoryWindowInSeconds of MongoDB.',
  });
};

const noSnapshot = (why: string, cause?: unknown): FailedPrecondition =>
  new FailedPrecondition(`store: MongoDB gives no snapshot over all databases: ${why}`, {
    cause,
    hint: 'Use a replica set of MongoDB 5.0 or newer, or stop every service and add --stopped.',
  });

/** Unauthorized, and AuthenticationFailed: these say nothing of snapshots. */
const isDenied = (thrown: unknown): boolean =>
  thrown instanceof MongoServerError && (thrown.code === 13 || thrown.code === 18);

/** A session all whose reads show the moment of the first. Throws `FailedPrecondition` when MongoDB does not say so. */
const startSnapshot = async (client: MongoClient, database: string): Promise<ClientSession> => {
  let session: ClientSession | undefined;
  try {
    session = client.startSession({ snapshot: true });
    // The first read fixes the moment, for all databases.
    await client.db(database).collection('meta').findOne({}, { session });
  } catch (thrown) {
    await session?.endSession();
    if (isTransient(thrown) || isDenied(thrown)) throw thrown;
    throw noSnapshot(messageOf(thrown), thrown);
  }
  // The driver takes it from the server's answer, and leaves it out of its types.
  const { snapshotTime } = session as ClientSession & { readonly snapshotTime?: unknown };
  if (snapshotTime !== undefined) return session;
  await session.endSession();
  throw noSnapshot('its answer names no time of a cluster');
};

const withStores = async (client: MongoClient, services: readonly string[]): Promise<readonly string[]> => {
  const found: string[] = [];
  for (const service of services) {
    if ((await collectionsOf(client.db(databaseOf(service)))).length > 0) found.push(service);
  }
  return found;
};

/**
 * Fixes the stores of all services at one and the same moment, while they go on: reads them in one session of
 * MongoDB that shows a single time of the cluster over all databases. With `stopped`, reads what is there.
 *
 * Throws `FailedPrecondition` when MongoDB gives no snapshot, or the user may not read a database.
 */
export const freezeMongoStores = async (options: FreezeMongoStoresOptions): Promise<FrozenMongoStores> => {
  const { services, stopped } = options;
  const client = await connectToStores(options, stopped ? 'majority' : 'snapshot');
  try {
    const [first] = await withStores(client, services);
    const cutAt = new Date().toISOString();
    const session =
      stopped || first === undefined ? undefined : await startSnapshot(client, databaseOf(first));
    // Once more: a list is not part of the snapshot, and must not be older.
    return new FrozenStores(client, session, await withStores(client, services), cutAt);
  } catch (thrown) {
    await client.close();
    throw fromMongo(thrown);
  }
};
