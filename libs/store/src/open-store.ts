import { Invalid } from '@millrace/errors';
import type { MongoAccess } from './mongodb/access.ts';
import type { MongoStoreOptions } from './mongodb/mongo-store.ts';
import type { DocumentStore } from './port.ts';
import { openSqliteStore } from './sqlite/sqlite-store.ts';
import type { StoreLogger } from './store-logger.ts';

export interface StoreSettings {
  /** `sqlite:<path of the file>`, or an address of MongoDB, where the database is `millrace_<service>`. */
  readonly url: string;
  /** The service that owns the store. */
  readonly service: string;
  /** Only for MongoDB. */
  readonly access?: MongoAccess;
  readonly logger?: StoreLogger;
}

const SQLITE = 'sqlite:';
const mongoPattern = /^mongodb(\+srv)?:\/\//;

/** Opens a store in MongoDB: see `MongoStoreOptions`. Its driver is loaded only here, where it is wanted. */
export const openMongoStore = async (options: MongoStoreOptions): Promise<DocumentStore> => {
  const adapter = await import('./mongodb/mongo-store.ts');
  return adapter.openMongoStore(options);
};

/** Whether the stores are in MongoDB; else in SQLite files. */
export const isMongoUrl = (url: string): boolean => mongoPattern.test(url);

/** Opens the store that the URL names. Throws what the adapter's opening throws, `Invalid` on another scheme. */
export const openStore = async ({
  url,
  service,
  access = {},
  logger,
}: StoreSettings): Promise<DocumentStore> => {
  const common = { service, ...(logger === undefined ? {} : { logger }) };
  if (url.startsWith(SQLITE)) return openSqliteStore({ path: url.slice(SQLITE.length), ...common });
  if (isMongoUrl(url)) return openMongoStore({ url, access, database: `millrace_${service}`, ...common });
  throw Invalid.field('url', 'must begin with sqlite:, mongodb:// or mongodb+srv://');
};
