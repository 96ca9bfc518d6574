import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { DuckDBConnection, DuckDBDataChunk, DuckDBInstance } from '@duckdb/node-api';
import { Cancelled, Exhausted, messageOf } from '@millrace/errors';
import { quoteTextList } from './sql.ts';

export interface DuckDbOptions {
  /** Where DuckDB spills when memory runs short, and where its callers may write. Created when missing. */
  readonly tempDir: string;
  /** Further directories whose files may be read and written; nothing else on the machine can. */
  readonly allowedDirectories?: readonly string[];
  /** With its unit (`512MB`); default `1GB`. */
  readonly memoryLimit?: string;
  /** Default 1: row order, Parquet bytes and sums of floats then depend on the data alone. */
  readonly threads?: number;
  /** Interrupts the statement under way and fails it and all later ones with `Cancelled`. */
  readonly signal?: AbortSignal;
}

/** What a statement yields for one value: lists nest, integers arrive as numbers, timestamps as `Date`. */
export type SqlValue = null | boolean | number | string | Date | readonly SqlValue[];
export type SqlRow = Readonly<Record<string, SqlValue>>;

/**
 * An in-memory DuckDB session on its own threads: no query blocks the event loop. It reaches the given
 * directories and no network, and loads no extension.
 */
export interface DuckDb extends AsyncDisposable {
  run(sql: string): Promise<void>;
  /** All rows at once: for small results. */
  rows(sql: string): Promise<readonly SqlRow[]>;
  /** The only row of an aggregate. */
  row(sql: string): Promise<SqlRow>;
  /** Column-wise chunks of up to 2,048 rows, in order, as they are produced. */
  chunks(sql: string): AsyncIterable<DuckDBDataChunk>;
  readonly connection: DuckDBConnection;
  /** Stops the statements under way and fails them and all later ones with `Cancelled`. */
  close(): Promise<void>;
}

/** Opens a session; the DuckDB library is loaded on first use, so that an idle process stays small. */
export const openDuckDb = async (options: DuckDbOptions): Promise<DuckDb> => {
  if (options.signal?.aborted) throw cancelled(options.signal);
  const tempDir = resolve(options.tempDir);
  await mkdir(tempDir, { recursive: true });
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(options.threads ?? 1),
    memory_limit: options.memoryLimit ?? '1GB',
    temp_directory: join(tempDir, 'spill'),
    preserve_insertion_order: 'true',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  const connection = await instance.connect();
  const allowed = [tempDir, ...(options.allowedDirectories ?? []).map((path) => resolve(path))];
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`SET allowed_directories = ${quoteTextList(allowed)}`);
  await connection.run('SET enable_external_access = false');
  await connection.run('SET lock_configuration = true');
  return session(instance, connection, options.signal);
};

const session = (
  instance: DuckDBInstance,
  connection: DuckDBConnection,
  signal: AbortSignal | undefined,
): DuckDb => {
  const closing = new AbortController();
  const end = signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
  const underWay = new Set<Promise<unknown>>();

  const guarded = async <T>(statement: () => Promise<T>): Promise<T> => {
    if (end.aborted) throw cancelled(end);
    const stopWatching = interruptOnAbort(connection, end);
    const running = statement();
    underWay.add(running);
    try {
      return await running;
    } catch (error) {
      throw end.aborted ? cancelled(end) : translate(error);
    } finally {
      underWay.delete(running);
      stopWatching();
    }
  };

  const rows = (sql: string): Promise<SqlRow[]> =>
    guarded(async () => {
      const reader = await connection.runAndReadAll(sql);
      return reader.getRowObjectsJS().map((row) => plain(row) as unknown as SqlRow);
    });

  const finish = async (): Promise<void> => {
    closing.abort(new Cancelled('the session is closed'));
    // Closing under a running statement would take the process down.
    await Promise.allSettled(underWay);
    connection.closeSync();
    instance.closeSync();
  };
  let closed: Promise<void> | undefined;
  const close = (): Promise<void> => {
    closed ??= finish();
    return closed;
  };

  return {
    connection,
    run: (sql) => guarded(async () => void (await connection.run(sql))),
    rows,
    async row(sql) {
      const [first] = await rows(sql);
      if (first === undefined) throw new Error('an aggregate returned no row');
      return first;
    },
    async *chunks(sql) {
      const result = await guarded(() => connection.stream(sql));
      while (true) {
        const chunk = await guarded(() => result.fetchChunk());
        if (chunk === null || chunk.rowCount === 0) return;
        yield chunk;
      }
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};

/** Returns how to stop watching. */
const interruptOnAbort = (connection: DuckDBConnection, signal: AbortSignal): (() => void) => {
  let repeat: NodeJS.Timeout | undefined;
  // Repeated, because an interrupt that meets the statement before it runs is lost.
  const interrupt = () => {
    connection.interrupt();
    repeat ??= setInterval(() => connection.interrupt(), 10);
  };
  signal.addEventListener('abort', interrupt);
  return () => {
    signal.removeEventListener('abort', interrupt);
    clearInterval(repeat);
  };
};

/** Integers of DuckDB arrive as `bigint`; counts and sizes fit a number. */
const plain = (value: unknown): unknown => {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value === null || typeof value !== 'object' || value instanceof Date) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item)]));
};

const cancelled = (signal: AbortSignal): Cancelled =>
  new Cancelled('the query was cancelled', { cause: signal.reason });

const translate = (error: unknown): unknown => {
  const message = messageOf(error);
  if (/Out of Memory Error/i.test(message)) {
    return new Exhausted('the data does not fit the memory limit of the query engine', {
      cause: error,
      hint: 'Raise the memory limit or free space in the temporary directory, then try again.',
    });
  }
  if (/No space left on device/i.test(message)) {
    return new Exhausted('no space left on the disk', {
      cause: error,
      hint: 'Free disk space, then try again; nothing was changed.',
    });
  }
  return error;
};
