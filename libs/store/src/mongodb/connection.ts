import { setTimeout as delay } from 'node:timers/promises';
import { Invalid, Unavailable } from '@millrace/errors';
import { MongoClient, type ReadConcernLevel } from 'mongodb';
import type { AccessFiles } from './access.ts';
import { type Tables, tablesOf } from './layout.ts';
import { fromMongo, isLost, isTransient, isWrongPassword, NoAnswer } from './mongo-error.ts';

/** How long the driver looks for a primary before one attempt counts as failed, milliseconds. */
const SELECTION_MS = 2_000;
/** How long a connection may be silent in the middle of a call: a call that hangs must end. */
const SILENCE_MS = 30_000;
/** The limit of a call altogether. */
const LONGEST_CALL_MS = 40_000;
/** The limit of a call that makes indexes or reads everything: an hour. */
export const LONG_WORK_MS = 3_600_000;
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
  readonly access: AccessFiles;
  /** How long a call is tried again while MongoDB does not answer, milliseconds. */
  readonly patienceMs: number;
}

/**
 * Durable on a majority of the members when acknowledged; what is read is so too and never rolls back. Each by the name
 * that it has in an address: only so does it take the place of what the address says.
 */
const concerns = {
  w: 'majority',
  journal: true,
  wtimeoutMS: MAJORITY_MS,
  readPreference: 'primary',
  retryWrites: true,
  retryReads: true,
} as const;

/** A client that is not connected yet. Throws `Invalid` when the address cannot be read. */
export const clientOf = (
  url: string,
  access: AccessFiles,
  level: ReadConcernLevel = 'majority',
): MongoClient => {
  const own = access.clientOptions();
  try {
    return new MongoClient(url, {
      ...concerns,
      readConcernLevel: level,
      ...own,
      appName: 'millrace',
      serverSelectionTimeoutMS: SELECTION_MS,
      connectTimeoutMS: SELECTION_MS,
      socketTimeoutMS: SILENCE_MS,
      maxPoolSize: 16,
      ignoreUndefined: true,
    });
  } catch {
    // The driver's message may quote the address, and the password in it.
    throw Invalid.field('url', 'is no address that the driver of MongoDB can read', {
      hint: 'https://www.mongodb.com/docs/manual/reference/connection-string/',
    });
  }
};

interface Session {
  readonly client: MongoClient;
  readonly tables: Tables;
}

const openSession = ({ url, database, access }: ConnectionOptions): Session => {
  const client = clientOf(url, access);
  return { client, tables: tablesOf(client.db(database)) };
};

const withLimit = async <R>(call: Promise<R>, limitMs: number): Promise<R> => {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new NoAnswer(`no answer within ${limitMs} ms`)), limitMs);
  });
  try {
    return await Promise.race([call, limit]);
  } finally {
    clearTimeout(timer);
  }
};

/**
 * A client, the database of the store, and the way in which calls are tried again. The driver can wait for ever
 * on a connection that breaks in the moment of its use, its search for a primary as well as a call. So calls
 * have a limit of ours, and a client that finds no server is replaced.
 */
export class Connection {
  readonly patienceMs: number;
  readonly #options: ConnectionOptions;
  #session: Session;
  /** Replaced, and not closed yet. */
  readonly #leaving = new Set<Session>();
  #closed = false;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.patienceMs = options.patienceMs;
    try {
      this.#session = openSession(options);
    } catch (thrown) {
      options.access.close();
      throw thrown;
    }
    // What the old client has under way ends before it is closed.
    options.access.onNewCertificates(() => this.#replace(this.#session, LONGEST_CALL_MS));
  }

  /** Runs a call that may be repeated, again while MongoDB does not answer, up to the patience. */
  async run<R>(call: (tables: Tables) => Promise<R>, limitMs?: number): Promise<R> {
    const deadline = performance.now() + this.patienceMs;
    for (let failures = 0; ; failures += 1) {
      try {
        return await this.once(call, limitMs);
      } catch (thrown) {
        const wait = backoffMs(failures);
        if (!this.#mayRepeat(thrown) || performance.now() + wait > deadline) throw fromMongo(thrown);
        await delay(wait);
      }
    }
  }

  /** Runs a call without repeating it, and passes on the driver's error. */
  async once<R>(call: (tables: Tables) => Promise<R>, limitMs = LONGEST_CALL_MS): Promise<R> {
    if (this.#closed) throw new Unavailable('store: it is closed');
    const session = this.#session;
    try {
      // Also after a first connection that failed; does nothing when connected.
      await session.client.connect();
      return await withLimit(call(session.tables), limitMs);
    } catch (thrown) {
      if (isLost(thrown)) this.#replace(session);
      throw thrown;
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#options.access.close();
    await Promise.all([this.#session, ...this.#leaving].map(({ client }) => client.close()));
  }

  /** A password that was changed is read again; the server never took the call of the old one. */
  #mayRepeat(thrown: unknown): boolean {
    if (isTransient(thrown)) return true;
    if (!isWrongPassword(thrown) || !this.#options.access.hasNewPassword()) return false;
    this.#replace(this.#session);
    return true;
  }

  #replace(session: Session, graceMs = 0): void {
    if (this.#closed || this.#session !== session) return;
    this.#session = openSession(this.#options);
    this.#leaving.add(session);
    const close = () => {
      this.#leaving.delete(session);
      // What fails here has failed already.
      session.client.close().catch(() => {});
    };
    if (graceMs === 0) close();
    else setTimeout(close, graceMs).unref();
  }
}
