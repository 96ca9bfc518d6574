import { backup, DatabaseSync } from 'node:sqlite';
import { FailedPrecondition } from '@millrace/errors';
import { fromSqlite } from './sqlite-error.ts';

/** A store as it was at the moment of the cut, however much is written to it meanwhile. */
export interface FrozenStore {
  /** Writes it to a new file, which is complete by itself. Throws `FailedPrecondition` when what it copied is damaged. */
  copyTo(path: string): Promise<void>;
}

export interface FrozenStores {
  /** In the order of the paths. */
  readonly stores: readonly FrozenStore[];
  /** ISO 8601: the moment of the cut. */
  readonly cutAt: string;
  /** Milliseconds that commits had to wait for the cut. */
  readonly fenceMs: number;
  close(): void;
}

/** Milliseconds that a commit of somebody else is waited for. Shorter than the patience of the stores' own writers. */
const lockWaitMs = 2_000;

/**
 * Freezes several SQLite stores at one and the same moment, while services go on writing to them: takes the write locks of
 * all, which holds commits up, begins to read in each, and lets the locks go. No commit falls between two of the
 * copies, so that together they are what a crash of everything at that moment would have left.
 *
 * Throws `Unavailable` when a lock is not to be had; then nothing is held any more.
 */
export const freezeSqliteStores = (paths: readonly string[]): FrozenStores => {
  const open: DatabaseSync[] = [];
  const close = () => {
    for (const connection of open.splice(0)) connection.close();
  };
  try {
    const connect = (path: string) => {
      const connection = new DatabaseSync(path, { timeout: lockWaitMs });
      open.push(connection);
      return connection;
    };
    const writers = paths.map(connect);
    const readers = paths.map(connect);
    const started = performance.now();
    for (const writer of writers) writer.exec('BEGIN IMMEDIATE');
    // The transaction alone does not fix what is seen: the first read does.
    for (const reader of readers) {
      reader.exec('BEGIN');
      reader.prepare('SELECT count(*) FROM sqlite_schema').get();
    }
    const cutAt = new Date().toISOString();
    for (const writer of writers) writer.exec('ROLLBACK');
    const fenceMs = performance.now() - started;
    return { stores: readers.map(frozen), cutAt, fenceMs, close };
  } catch (thrown) {
    close();
    throw fromSqlite(thrown);
  }
};

const frozen = (reader: DatabaseSync): FrozenStore => ({
  copyTo: async (path) => {
    try {
      await backup(reader, path);
    } catch (thrown) {
      throw fromSqlite(thrown);
    }
    checkCopy(path);
  },
});

/** One file is all there is to a copy: it needs no log beside it. */
const checkCopy = (path: string): void => {
  const copy = new DatabaseSync(path);
  try {
    copy.exec('PRAGMA journal_mode = DELETE');
    const [found] = copy.prepare('PRAGMA quick_check(1)').all() as { quick_check: string }[];
    if (found?.quick_check === 'ok') return;
    throw new FailedPrecondition(`store: the copy ${path} is damaged: ${found?.quick_check}`, {
      hint: 'The store itself may be: let `millrace doctor` look, and restore an older backup beside it.',
    });
  } finally {
    copy.close();
  }
};

/** Every text of a store's copy that may name something: documents, and the messages that wait or were sent. */
export const textsOfSqliteStore = function* (path: string): Generator<string> {
  const copy = new DatabaseSync(path, { readOnly: true });
  try {
    const columns = copy
      .prepare(
        `SELECT t.name AS "table", c.name AS "column" FROM sqlite_schema t, pragma_table_info(t.name) c
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' AND upper(c.type) IN ('TEXT', 'BLOB', '')`,
      )
      .all() as { table: string; column: string }[];
    for (const { table, column } of columns) {
      const rows = copy.prepare(
        `SELECT CAST("${column}" AS TEXT) AS text FROM "${table}" WHERE instr("${column}", 'sha256:') > 0`,
      );
      for (const row of rows.iterate() as Iterable<{ text: string }>) yield row.text;
    }
  } finally {
    copy.close();
  }
};
