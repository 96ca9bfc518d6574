export {
  freezeMongoStores,
  linesOfMongoStore,
  requireNoMongoStores,
  restoreMongoStores,
} from './mongo-backup.ts';
export type { MongoAccess } from './mongodb/access.ts';
export type { FreezeMongoStoresOptions, FrozenMongoStores } from './mongodb/frozen-stores.ts';
export type { MongoStoreOptions } from './mongodb/mongo-store.ts';
export type { MongoStoreCopy } from './mongodb/restored-stores.ts';
export type { MongoStoresOptions } from './mongodb/stores-client.ts';
export { isMongoUrl, openMongoStore, openStore, type StoreSettings } from './open-store.ts';
export type {
  Change,
  Collection,
  CollectionDefinition,
  CommitResult,
  Decision,
  DocumentStore,
  Durability,
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
  UpdateOptions,
} from './port.ts';
export {
  type FrozenStore,
  type FrozenStores,
  freezeSqliteStores,
  textsOfSqliteStore,
} from './sqlite/frozen-stores.ts';
export { openSqliteStore, type SqliteStoreOptions } from './sqlite/sqlite-store.ts';
export type { StoreLogger } from './store-logger.ts';
export { newUlid } from './ulids.ts';
