import { Conflict, messageOf, Unavailable } from '@millrace/errors';
import type { Db, Document } from 'mongodb';
import { createRecordedIndexes } from './collection-schema.ts';
import { BEING_RESTORED, type CollectionRecord, type MetaRecord, tablesOf } from './layout.ts';
import { linesOfMongoStore, parseStoreLine } from './store-lines.ts';
import { collectionsOf, connectToStores, databaseOf, type MongoStoresOptions } from './stores-client.ts';

/** The copy of a service's store. */
export interface MongoStoreCopy {
  readonly service: string;
  readonly path: string;
}

/** Limits of one insertion. */
const BATCH_DOCUMENTS = 500;
const BATCH_CHARACTERS = 8_000_000;

/** Throws `Conflict`, naming it, when a service's database holds something. */
export const requireNoMongoStores = async (options: MongoStoresOptions): Promise<void> => {
  const client = await connectToStores(options);
  try {
    for (const service of options.services) {
      const db = client.db(databaseOf(service));
      if ((await collectionsOf(db)).length === 0) continue;
      throw new Conflict(`the database ${db.databaseName} is not empty`, {
        hint: 'Restore into databases that hold nothing, or add --force: what they hold is dropped, and cannot be had back.',
      });
    }
  } finally {
    await client.close();
  }
};

/**
 * Fills the databases from copies, after dropping what those of all `services` hold. Until the last is whole, no
 * service can open any: one that died half-way is to be done again.
 */
export const restoreMongoStores = async (
  options: MongoStoresOptions,
  copies: readonly MongoStoreCopy[],
): Promise<void> => {
  const client = await connectToStores(options);
  try {
    for (const service of options.services) await dropAll(client.db(databaseOf(service)));
    for (const { service } of copies) await writeStoreRecord(client.db(databaseOf(service)), unfinished);
    const records: (readonly [Db, MetaRecord])[] = [];
    for (const { service, path } of copies) {
      const db = client.db(databaseOf(service));
      records.push([db, await fill(db, path)]);
    }
    for (const [db, record] of records) await writeStoreRecord(db, record);
  } catch (thrown) {
    throw new Unavailable(`the databases are not restored: ${messageOf(thrown)}`, {
      cause: thrown,
      hint: 'Services refuse them as they are. Mend MongoDB, and restore again with --force.',
    });
  } finally {
    await client.close();
  }
};

const dropAll = async (db: Db): Promise<void> => {
  for (const name of await collectionsOf(db)) await db.collection(name).drop();
};

const unfinished: MetaRecord = { _id: 'store', service: BEING_RESTORED };

const writeStoreRecord = async (db: Db, record: MetaRecord): Promise<void> => {
  await tablesOf(db).meta.replaceOne({ _id: 'store' }, record, { upsert: true });
};

/** Inserts all but the record by which services know their store, and returns that. */
const fill = async (db: Db, path: string): Promise<MetaRecord> => {
  let record: MetaRecord | undefined;
  const batch: Document[] = [];
  let batchOf = '';
  let characters = 0;
  const insert = async (): Promise<void> => {
    if (batch.length > 0) await db.collection(batchOf).insertMany(batch.splice(0));
    characters = 0;
  };
  for await (const line of linesOfMongoStore(path)) {
    const { collection, document } = parseStoreLine(line);
    if (collection === 'meta' && document._id === 'store') {
      record = document as MetaRecord;
      continue;
    }
    const isFull = batch.length >= BATCH_DOCUMENTS || characters + line.length > BATCH_CHARACTERS;
    if (isFull || collection !== batchOf) await insert();
    batchOf = collection;
    batch.push(document);
    characters += line.length;
  }
  await insert();
  if (record === undefined) throw new Error(`${path} has no record of its service`);
  await createIndexes(db);
  return record;
};

/** Those of the outbox are made whenever a store is opened. */
const createIndexes = async (db: Db): Promise<void> => {
  const tables = tablesOf(db);
  const records: readonly CollectionRecord[] = await tables.collections.find().toArray();
  for (const record of records) await createRecordedIndexes(tables, record);
};
