import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { ServiceName } from '@millrace/service-kit';

/** Holds the write lock of a service's store in SQLite, as another process would; answers how to release it. */
export const lockStore = (dataDir: string, service: ServiceName): (() => void) => {
  const database = new DatabaseSync(join(dataDir, service, 'store.sqlite'), { timeout: 10_000 });
  database.exec('BEGIN IMMEDIATE');
  return () => {
    database.exec('ROLLBACK');
    database.close();
  };
};
