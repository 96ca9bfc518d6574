export type { MongoAccess } from './mongodb/access.ts';
export type { MongoStoreOptions } from './mongodb/mongo-store.ts';
export { openMongoStore, openStore, type StoreSettings } from './open-store.ts';
export type {
  Change,
  Collection,
  CollectionDefinition,
  CommitResult,
  Decision,
  DocumentStore,
  FieldRef,
  Filter,
  Inbox,
  InboxPosition,
  Index,
  Json,
  Migration,
  NewMessage,
  Outbox,
  OutboxMessage,
  Page,
  Query,
  Scalar,
  Stored,
} from './port.ts';
export {
  type FrozenStore,
  type FrozenStores,
  freezeSqliteStores,
  textsOfSqliteStore,
} from './sqlite/frozen-stores.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite/sqlite-store.ts';
export type { StoreLogger } from './store-logger.ts';
