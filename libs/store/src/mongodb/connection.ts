import { setTimeout as delay } from 'node:timers/promises';
import { Invalid, Unavailable } from '@millrace/errors';
import { MongoClient } from 'mongodb';
import { type Tables, tablesOf } from './layout.ts';
import { fromMongo, isTransient } from './mongo-error.ts';

/** How long the driver looks for a primary before one attempt counts as failed, milliseconds. */
const SELECTION_MS = 2_000;
/** How long a connection may be silent in the middle of a call: a call that hangs must end. */
const SILENCE_MS = 30_000;
/** How long a write waits for the majority before it is asked about again. */
const MAJORITY_MS = 10_000;

export const FIRST_BACKOFF_MS = 20;
const LONGEST_BACKOFF_MS = 1_000;

/** The wait before the next attempt: doubles, and is spread so that clients do not come back together. */
export const backoffMs = (failures: number): number =>
  Math.random() * Math.min(FIRST_BACKOFF_MS * 2 ** failures, LONGEST_BACKOFF_MS);

export interface ConnectionOptions {
  /** `mongodb://` or `mongodb+srv://`. What it says of concerns does not count. */
  readonly url: string;
  readonly database: string;
  /** How long a call is tried again while MongoDB does not answer, milliseconds. */
  readonly patienceMs: number;
}

/** Durable on a majority of the members when acknowledged; what is read is so too and never rolls back. */
const concerns = {
  writeConcern: { w: 'majority', journal: true, wtimeoutMS: MAJORITY_MS },
  readConcern: { level: 'majority' },
  readPreference: 'primary',
  retryWrites: true,
  retryReads: true,
} as const;

const clientOf = (url: string): MongoClient => {
  try {
    return new MongoClient(url, {
      ...concerns,
      appName: 'millrace',
      serverSelectionTimeoutMS: SELECTION_MS,
      connectTimeoutMS: SELECTION_MS,
      socketTimeoutMS: SILENCE_MS,
      maxPoolSize: 16,
      ignoreUndefined: true,
    });
  } catch (thrown) {
    throw Invalid.field('url', `is no address of MongoDB: ${thrown instanceof Error ? thrown.message : ''}`);
  }
};

/** A client, the database of the store, and the way in which calls are tried again. */
export class Connection {
  readonly tables: Tables;
  readonly patienceMs: number;
  readonly #client: MongoClient;
  #closed = false;

  constructor({ url, database, patienceMs }: ConnectionOptions) {
    this.#client = clientOf(url);
    this.tables = tablesOf(this.#client.db(database));
    this.patienceMs = patienceMs;
  }

  /** Runs a call that may be repeated, again while MongoDB does not answer, up to the patience. */
  async run<R>(call: (tables: Tables) => Promise<R>): Promise<R> {
    const deadline = performance.now() + this.patienceMs;
    for (let failures = 0; ; failures += 1) {
      try {
        return await this.once(call);
      } catch (thrown) {
        const wait = backoffMs(failures);
        if (!isTransient(thrown) || performance.now() + wait > deadline) throw fromMongo(thrown);
        await delay(wait);
      }
    }
  }

  /** Runs a call without repeating it, and passes on the driver's error. */
  async once<R>(call: (tables: Tables) => Promise<R>): Promise<R> {
    if (this.#closed) throw new Unavailable('store: it is closed');
    // Also after a first connection that failed; does nothing when connected.
    await this.#client.connect();
    return call(this.tables);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#client.close();
  }
}
