import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Invalid } from '@millrace/errors';
import { readStoreAccess, serviceNames } from '@millrace/service-kit';
import {
  freezeMongoStores,
  freezeSqliteStores,
  isMongoUrl,
  linesOfMongoStore,
  type MongoStoresOptions,
  textsOfSqliteStore,
} from '@millrace/store';
import type { StoreKind } from './manifest.ts';

/** The stores of all services as of one moment. */
export interface StoreSource {
  readonly kind: StoreKind;
  /** Those that have a store. */
  readonly services: readonly string[];
  /** ISO 8601. */
  readonly cutAt: string;
  /** Milliseconds that commits had to wait for the cut. */
  readonly fenceMs: number;
  /** Of the files of copies. */
  readonly extension: string;
  copyTo(service: string, path: string): Promise<void>;
  /** After the last copy: throws when the copies are not of one moment. */
  check(): Promise<void>;
  /** Every text of a copy that may name a blob. */
  textsOf(path: string): Iterable<string> | AsyncIterable<string>;
  close(): Promise<void>;
}

export interface StoreSourceOptions {
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** No service runs, says the operator. */
  readonly stopped: boolean;
}

/** Where MongoDB is, by `MILLRACE_STORE_URL`; `undefined` when the stores are in the data directory. */
export const mongoStoresOf = (env: NodeJS.ProcessEnv): MongoStoresOptions | undefined => {
  const url = env.MILLRACE_STORE_URL || undefined;
  if (url === undefined) return undefined;
  if (isMongoUrl(url)) return { url, access: readStoreAccess(env), services: serviceNames };
  throw Invalid.field('MILLRACE_STORE_URL', 'names the store of one service only', {
    hint: 'Leave it out, for the stores in --data-dir, or name MongoDB: docs/operations/backup.md.',
  });
};

/** Freezes the stores where they are. Without any, `services` is empty. */
export const freezeStores = async ({ dataDir, env, stopped }: StoreSourceOptions): Promise<StoreSource> => {
  const mongo = mongoStoresOf(env);
  if (mongo === undefined) return freezeFiles(dataDir);
  const frozen = await freezeMongoStores({ ...mongo, stopped });
  return {
    kind: 'mongodb',
    services: frozen.services,
    cutAt: frozen.cutAt,
    fenceMs: 0,
    extension: 'jsonl',
    copyTo: (service, path) => frozen.copyTo(service, path),
    check: () => frozen.check(),
    textsOf: linesOfMongoStore,
    close: () => frozen.close(),
  };
};

const freezeFiles = (dataDir: string): StoreSource => {
  const storeOf = (service: string): string => join(dataDir, service, 'store.sqlite');
  const services = serviceNames.filter((name) => existsSync(storeOf(name)));
  const frozen = freezeSqliteStores(services.map(storeOf));
  const stores = new Map<string, (typeof frozen.stores)[number] | undefined>(
    services.map((service, index) => [service, frozen.stores[index]]),
  );
  return {
    kind: 'sqlite',
    services,
    cutAt: frozen.cutAt,
    fenceMs: frozen.fenceMs,
    extension: 'sqlite',
    copyTo: async (service, path) => stores.get(service)?.copyTo(path),
    check: async () => {},
    textsOf: textsOfSqliteStore,
    close: async () => frozen.close(),
  };
};
