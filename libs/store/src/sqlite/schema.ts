import { FailedPrecondition } from '@millrace/errors';
import type { Database } from './database.ts';

/** Layout of the tables below; a store with a higher one was written by newer code. */
const LAYOUT = 1;

const tables = `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, time TEXT NOT NULL);

  -- Keeps counting the version of a key whose document was deleted.
  CREATE TABLE tombstones (
    collection TEXT NOT NULL,
    key TEXT NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (collection, key)
  ) WITHOUT ROWID;

  -- The last sequence given to an entity, and the document whose commits cause its events.
  CREATE TABLE entities (entity TEXT PRIMARY KEY, owner TEXT NOT NULL, sequence INTEGER NOT NULL) WITHOUT ROWID;

  -- AUTOINCREMENT: a position must not come back after a prune.
  CREATE TABLE outbox (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL,
    subject TEXT NOT NULL,
    type TEXT NOT NULL,
    entity TEXT,
    key TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    time TEXT NOT NULL,
    headers TEXT NOT NULL,
    data TEXT NOT NULL,
    sent_time TEXT
  );
  CREATE INDEX outbox_pending ON outbox (position) WHERE sent_time IS NULL;
  CREATE INDEX outbox_sent ON outbox (sent_time) WHERE sent_time IS NOT NULL;
  CREATE UNIQUE INDEX outbox_history ON outbox (entity, sequence) WHERE entity IS NOT NULL;

  CREATE TABLE inbox (
    consumer TEXT NOT NULL,
    entity TEXT NOT NULL,
    sequence INTEGER NOT NULL,
    PRIMARY KEY (consumer, entity)
  ) WITHOUT ROWID;
`;

const layoutOf = (database: Database): number =>
  database.get<{ user_version: number }>('PRAGMA user_version')?.user_version ?? 0;

export const readMeta = (database: Database, name: string): string | undefined =>
  database.get<{ value: string }>('SELECT value FROM meta WHERE name = ?', name)?.value;

export const writeMeta = (database: Database, name: string, value: string): void => {
  database.run('INSERT OR REPLACE INTO meta (name, value) VALUES (?, ?)', name, value);
};

const create = (database: Database, service: string): void => {
  database.exec(tables);
  writeMeta(database, 'service', service);
  database.exec(`PRAGMA user_version = ${LAYOUT}`);
};

/** Makes the store's own tables. Throws `FailedPrecondition` on newer code's or another service's store. */
export const prepareSchema = (database: Database, service: string): void => {
  database.setUp(() => {
    const layout = layoutOf(database);
    if (layout === 0) create(database, service);
    if (layout > LAYOUT) {
      throw new FailedPrecondition(`store: its layout ${layout} is newer than this code's ${LAYOUT}`, {
        hint: 'Run the version of Millrace that wrote it, or a newer one.',
      });
    }
    const owner = readMeta(database, 'service');
    if (owner !== service) {
      throw new FailedPrecondition(`store: it belongs to service "${owner}", not "${service}"`, {
        hint: 'Give each service a store of its own.',
      });
    }
  });
};
