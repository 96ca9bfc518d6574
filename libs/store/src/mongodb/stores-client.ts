import type { Db, MongoClient, ReadConcernLevel } from 'mongodb';
import { AccessFiles, type MongoAccess } from './access.ts';
import { clientOf } from './connection.ts';
import { fromMongo } from './mongo-error.ts';

/** The stores of several services, each in its own database of one MongoDB. */
export interface MongoStoresOptions {
  readonly url: string;
  /** Of an operator, who may use the databases of all services; its database is `admin` unless the address says another. */
  readonly access?: MongoAccess;
  /** Those whose databases are looked for. */
  readonly services: readonly string[];
}

/** The database of a service's store. */
export const databaseOf = (service: string): string => `millrace_${service}`;

/** A client for the databases of all services. Throws `Unavailable` when MongoDB does not answer. */
export const connectToStores = async (
  { url, access = {} }: MongoStoresOptions,
  level?: ReadConcernLevel,
): Promise<MongoClient> => {
  const files = await AccessFiles.open(access, { url, database: 'admin' });
  try {
    return await clientOf(url, files, level).connect();
  } catch (thrown) {
    throw fromMongo(thrown);
  } finally {
    files.close();
  }
};

/** What a database holds; nothing when there is no such database. */
export const collectionsOf = async (db: Db): Promise<readonly string[]> => {
  const found = await db.listCollections({}, { nameOnly: true }).toArray();
  return found
    .map(({ name }) => name)
    .filter((name) => !name.startsWith('system.'))
    .sort();
};
