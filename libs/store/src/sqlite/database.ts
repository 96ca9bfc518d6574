import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { Unavailable } from '@millrace/errors';
import type { Durability } from '../port.ts';
import { makeLogRoom, pagesPerCheckpoint } from './log-room.ts';
import { fromSqlite } from './sqlite-error.ts';

export type Parameter = SQLInputValue;
export type Row = Record<string, unknown>;

const STATEMENTS_KEPT = 500;

/** How long SQLite itself waits for a lock while it blocks the event loop, milliseconds. */
const SHORT_WAIT_MS = 25;
/** The same where nothing else can run yet: at opening and when a collection's tables are made. */
const STARTUP_WAIT_MS = 10_000;

/** In WAL mode: whether a commit waits until the log is on the disk, https://sqlite.org/pragma.html#pragma_synchronous */
const synchronous: Record<Durability, string> = { full: 'FULL', delayed: 'NORMAL' };

/** Path of a database that is kept in memory and has no files. */
export const inMemory = ':memory:';

const pragmas = `
  PRAGMA busy_timeout = ${STARTUP_WAIT_MS};
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = ${synchronous.full};
  PRAGMA foreign_keys = ON;
  PRAGMA trusted_schema = OFF;
  PRAGMA cache_size = -16384;
  PRAGMA wal_autocheckpoint = ${pagesPerCheckpoint};
  PRAGMA journal_size_limit = 67108864;
`;

/** One connection: prepared statements kept, errors of the taxonomy, and a count of what was written. */
export class Database {
  readonly #connection: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  readonly #path: string;
  #writes = 0;
  #durability: Durability = 'full';

  constructor(path: string) {
    this.#path = path;
    this.#connection = this.#guard(() => new DatabaseSync(path));
    try {
      this.exec(pragmas);
    } catch (thrown) {
      this.#connection.close();
      throw thrown;
    }
  }

  /** Grows with every statement that wrote; an unchanged count proves that nothing is to be undone. */
  get writes(): number {
    return this.#writes;
  }

  get isOpen(): boolean {
    return this.#connection.isOpen;
  }

  get inTransaction(): boolean {
    return this.#connection.isTransaction;
  }

  exec(sql: string): void {
    this.#guard(() => this.#connection.exec(sql));
  }

  get<R extends Row>(sql: string, ...parameters: Parameter[]): R | undefined {
    return this.#guard(() => this.#statement(sql).get(...parameters) as R | undefined);
  }

  all<R extends Row>(sql: string, ...parameters: Parameter[]): R[] {
    return this.#guard(() => this.#statement(sql).all(...parameters) as R[]);
  }

  /** Runs a writing statement; returns how many rows it changed. */
  run(sql: string, ...parameters: Parameter[]): number {
    const changes = Number(this.#guard(() => this.#statement(sql).run(...parameters).changes));
    this.#writes += changes;
    return changes;
  }

  /** Inserts a row; returns its rowid. */
  insert(sql: string, ...parameters: Parameter[]): number {
    const { changes, lastInsertRowid } = this.#guard(() => this.#statement(sql).run(...parameters));
    this.#writes += Number(changes);
    return Number(lastInsertRowid);
  }

  /** Runs a writing statement with RETURNING; returns its row when it wrote one. */
  write<R extends Row>(sql: string, ...parameters: Parameter[]): R | undefined {
    const row = this.get<R>(sql, ...parameters);
    if (row !== undefined) this.#writes += 1;
    return row;
  }

  /** Begins a transaction that takes the write lock. */
  begin(durability: Durability = 'full'): void {
    if (durability !== this.#durability) {
      this.exec(`PRAGMA synchronous = ${synchronous[durability]}`);
      this.#durability = durability;
    }
    this.run('BEGIN IMMEDIATE');
  }

  /** Within a transaction: from then on commits need not lengthen the log. */
  makeLogRoom(): void {
    if (this.#path !== inMemory) makeLogRoom(`${this.#path}-wal`);
  }

  commit(): void {
    this.run('COMMIT');
  }

  /** Does nothing where SQLite has rolled back by itself, as it does when the disk is full. */
  rollback(): void {
    if (this.inTransaction) this.run('ROLLBACK');
  }

  /** Runs `work` in a transaction of its own and waits for the lock: for start-up only, it blocks. */
  setUp<R>(work: () => R): R {
    this.exec(`PRAGMA busy_timeout = ${STARTUP_WAIT_MS}`);
    try {
      this.begin();
      const result = work();
      this.commit();
      return result;
    } finally {
      this.rollback();
      this.exec(`PRAGMA busy_timeout = ${SHORT_WAIT_MS}`);
    }
  }

  close(): void {
    if (!this.isOpen) return;
    this.#statements.clear();
    this.#guard(() => this.#connection.close());
  }

  #statement(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    if (!this.isOpen) throw new Unavailable('store: it is closed');
    const statement = this.#connection.prepare(sql);
    this.#statements.set(sql, statement);
    if (this.#statements.size > STATEMENTS_KEPT) this.#forgetOldest();
    return statement;
  }

  #forgetOldest(): void {
    for (const sql of this.#statements.keys()) {
      this.#statements.delete(sql);
      return;
    }
  }

  #guard<R>(call: () => R): R {
    try {
      return call();
    } catch (thrown) {
      throw fromSqlite(thrown);
    }
  }
}
