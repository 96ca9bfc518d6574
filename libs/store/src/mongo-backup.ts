import type { FreezeMongoStoresOptions, FrozenMongoStores } from './mongodb/frozen-stores.ts';
import type { MongoStoreCopy } from './mongodb/restored-stores.ts';
import type { MongoStoresOptions } from './mongodb/stores-client.ts';

// The driver is loaded only where it is wanted, as by `openMongoStore`.

/** See `mongodb/frozen-stores.ts`. */
export const freezeMongoStores = async (options: FreezeMongoStoresOptions): Promise<FrozenMongoStores> =>
  (await import('./mongodb/frozen-stores.ts')).freezeMongoStores(options);

/** See `mongodb/store-lines.ts`. */
export const linesOfMongoStore = async function* (path: string): AsyncGenerator<string> {
  yield* (await import('./mongodb/store-lines.ts')).linesOfMongoStore(path);
};

/** See `mongodb/restored-stores.ts`. */
export const requireNoMongoStores = async (options: MongoStoresOptions): Promise<void> =>
  (await import('./mongodb/restored-stores.ts')).requireNoMongoStores(options);

/** See `mongodb/restored-stores.ts`. */
export const restoreMongoStores = async (
  options: MongoStoresOptions,
  copies: readonly MongoStoreCopy[],
): Promise<void> => (await import('./mongodb/restored-stores.ts')).restoreMongoStores(options, copies);
