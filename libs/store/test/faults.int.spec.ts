import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ErrorCode } from '@millrace/errors';
import { afterEach, describe, expect, it } from 'vitest';
import { expectError } from '../src/conformance/fixture.ts';
import {
  type DocumentStore,
  type NewMessage,
  openSqliteStore,
  type SqliteStoreOptions,
} from '../src/index.ts';
import { Database } from '../src/sqlite/database.ts';
import { storeOn } from '../src/sqlite/sqlite-store.ts';
import { useFolders } from './temporary-folder.ts';

interface Counter {
  readonly count: number;
  readonly padding?: string;
}

const newFolder = useFolders();
const service = 'training';
const open: { close(): unknown }[] = [];

afterEach(async () => {
  for (const resource of open.splice(0)) await resource.close();
});

const track = <R extends { close(): unknown }>(resource: R): R => {
  open.push(resource);
  return resource;
};

const openStore = async (path: string, options?: Partial<SqliteStoreOptions>): Promise<DocumentStore> =>
  track(await openSqliteStore({ path, service, ...options }));

const countersOf = (store: DocumentStore) => store.collection<Counter>({ name: 'counters' });

const eventOf = (key: string): NewMessage => ({
  subject: 's',
  type: 't',
  entity: `training.counter/${key}`,
  key,
  data: null,
});

describe('a store that another connection holds locked', () => {
  const openLocked = async (options?: Partial<SqliteStoreOptions>) => {
    const path = join(await newFolder(), 'training.sqlite');
    const store = await openStore(path, options);
    const counters = countersOf(store);
    await counters.insert('a', { count: 0 });
    const holder = new DatabaseSync(path);
    open.unshift(holder);
    holder.exec('BEGIN IMMEDIATE');
    return { store, counters, holder };
  };

  it('refuses commits as unavailable after its patience, changes nothing, and recovers', async () => {
    const { store, counters, holder } = await openLocked({ busyPatienceMs: 100 });
    const commits = await Promise.allSettled([
      counters.insert('b', { count: 1 }, [eventOf('b')]),
      counters.update('a', () => ({ document: { count: 1 } })),
      // Not known to be a conflict either, as long as nothing can be committed.
      counters.insert('a', { count: 1 }),
    ]);
    for (const commit of commits) {
      expect(commit).toMatchObject({ status: 'rejected', reason: { code: ErrorCode.unavailable } });
    }
    holder.exec('ROLLBACK');
    expect(await counters.get('b')).toBeUndefined();
    expect(await store.outbox.pending(10)).toEqual([]);
    await counters.insert('b', { count: 1 }, [eventOf('b')]);
    expect(await store.outbox.pending(10)).toHaveLength(1);
  });

  it('reads all the same, and commits once the lock is released', async () => {
    const { counters, holder } = await openLocked();
    const committing = counters.insert('b', { count: 1 });
    expect((await counters.get('a'))?.document.count).toBe(0);
    holder.exec('ROLLBACK');
    expect((await committing).version).toBe(1);
  });
});

describe('what can wait', () => {
  const position = { consumer: 'training-datasets', entity: 'ingest.dataset/flights', sequence: 3 };
  const reached = (store: DocumentStore) => store.inbox.position(position.consumer, position.entity);

  it('goes with the next commit', async () => {
    const store = await openStore(join(await newFolder(), 'training.sqlite'));
    const recorded = store.inbox.advanceSoon(() => [position], 3_600_000);
    expect(await reached(store)).toBe(0);
    await countersOf(store).insert('a', { count: 1 });
    await recorded;
    expect(await reached(store)).toBe(3);
  });

  it('is written before the store closes', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    const store = await openStore(path);
    const recorded = store.inbox.advanceSoon(() => [position], 3_600_000);
    await store.close();
    await recorded;
    expect(await reached(await openStore(path))).toBe(3);
  });
});

describe('a store that is opened twice', () => {
  it('loses no update of either', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    const stores = [await openStore(path), await openStore(path)];
    const increment = (store: DocumentStore) =>
      countersOf(store).update('a', (current) => ({
        document: { count: (current?.document.count ?? 0) + 1 },
        messages: [eventOf('a')],
      }));
    await Promise.all(stores.flatMap((store) => Array.from({ length: 100 }, () => increment(store))));
    expect((await countersOf(stores[0]!).get('a'))?.document.count).toBe(200);
    const sequences = (await stores[1]!.outbox.pending(1000)).map(({ sequence }) => sequence);
    expect(sequences).toEqual(Array.from({ length: 200 }, (_, index) => index + 1));
  });

  it('gives each the unsent messages of both, as one that has just been opened reads them', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    const stores = [await openStore(path), await openStore(path)];
    await countersOf(stores[0]!).insert('a', { count: 0 }, ['0', '1', '2'].map(eventOf));
    for (let step = 0; step < 200; step += 1) {
      const store = stores[step % 2]!;
      const { outbox } = store;
      const counters = countersOf(store);
      const messages = Array.from({ length: step % 4 }, (_, i) => eventOf(`${(step + i) % 3}`));
      const waiting = await outbox.pending(1 + (step % 11));
      await Promise.all([
        counters.update('a', () => ({ document: { count: step }, messages })),
        // The last event is another document's, so that what was added before it is taken back.
        expectError(
          counters.update('b', () => ({
            document: { count: step },
            messages: [eventOf('b'), eventOf('0')],
          })),
          ErrorCode.invalid,
        ),
        outbox.markSent(waiting.slice(0, step % 5).map(({ position }) => position)),
      ]);
      const fresh = await openSqliteStore({ path, service });
      const expected = await fresh.outbox.pending(1000);
      await fresh.close();
      const except = new Set(expected.slice(0, step % 7).map(({ position }) => position));
      for (const each of stores) {
        expect(await each.outbox.pending(1000)).toEqual(expected);
        expect(await each.outbox.pending(3, except)).toEqual(
          expected.filter(({ position }) => !except.has(position)).slice(0, 3),
        );
      }
    }
  });

  it('is refused to another service', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    await openStore(path);
    await expectError(openSqliteStore({ path, service: 'registry' }), ErrorCode.failedPrecondition);
  });
});

const padding = 'x'.repeat(20_000);

/** Fills the store until it refuses; returns the keys that it took. */
const fillUp = async (store: DocumentStore): Promise<readonly string[]> => {
  const counters = countersOf(store);
  const taken: string[] = [];
  for (let group = 0; group < 1000; group += 1) {
    const keys = Array.from({ length: 4 }, (_, index) => `filler-${group * 4 + index}`);
    const results = await Promise.allSettled(
      keys.map((key) => counters.insert(key, { count: 0, padding }, [eventOf(key)])),
    );
    const refused = results.filter((result) => result.status === 'rejected');
    if (refused.length === 0) {
      taken.push(...keys);
      continue;
    }
    // All share the transaction and its fate.
    expect(refused).toHaveLength(keys.length);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: ErrorCode.exhausted });
    return taken;
  }
  return expect.fail('the store never was full');
};

const expectExactly = async (store: DocumentStore, keys: readonly string[]): Promise<void> => {
  const found = [];
  for await (const { key, version } of countersOf(store).scan()) {
    expect(version).toBe(1);
    found.push(key);
  }
  expect(found).toEqual(keys.toSorted());
  const events = await store.outbox.pending(10_000);
  expect(events.map(({ key }) => key)).toEqual(keys);
};

describe('a full disk', () => {
  it('refuses commits as exhausted, leaves everything as it was, and recovers with space', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    const database = new Database(path);
    const store = track(storeOn(database, { path, service }));
    countersOf(store);
    database.exec('PRAGMA max_page_count = 150');
    const taken = await fillUp(store);
    expect(taken.length).toBeGreaterThan(0);
    await expectExactly(store, taken);
    const emptied = await expectError(
      countersOf(store).update(taken[0]!, () => ({
        document: { count: 1, padding: padding.repeat(20) },
      })),
      ErrorCode.exhausted,
    );
    expect(emptied.hint).toMatch(/disk/);
    database.exec('PRAGMA max_page_count = 100000');
    await countersOf(store).insert('z', { count: 0, padding }, [eventOf('z')]);
    await expectExactly(store, [...taken, 'z']);
  });

  const mountSmallDisk = (folder: string): boolean => {
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'ignore' });
      track({ close: () => execFileSync('umount', [folder]) });
      return true;
    } catch {
      return false;
    }
  };

  it('is survived on a real file system, also by a reopening', async (context) => {
    const folder = await newFolder();
    if (!mountSmallDisk(folder)) context.skip('needs the right to mount a small tmpfs');
    const ballast = join(folder, 'ballast');
    await writeFile(ballast, Buffer.alloc(1024 * 1024));
    const path = join(folder, 'training.sqlite');
    const store = await openSqliteStore({ path, service });
    const taken = await fillUp(store);
    await expectExactly(store, taken);
    await writeFile(ballast, '');
    await countersOf(store).insert('z', { count: 0, padding }, [eventOf('z')]);
    await store.close();

    const reopened = await openSqliteStore({ path, service });
    await expectExactly(reopened, [...taken, 'z']);
    await reopened.close();
  });
});

describe('a file that is no store', () => {
  it('is refused when it is damaged', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    await writeFile(path, 'no database at all, but quite some text '.repeat(200));
    const error = await expectError(openSqliteStore({ path, service }), ErrorCode.internal);
    expect(error.hint).toMatch(/backup/);
  });

  it('is refused when it is a folder', async () => {
    await expectError(openSqliteStore({ path: await newFolder(), service }), ErrorCode.failedPrecondition);
  });

  it('is refused when newer code wrote it', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    await (await openSqliteStore({ path, service })).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 99');
    database.close();
    await expectError(openSqliteStore({ path, service }), ErrorCode.failedPrecondition);
  });
});

describe('a connection', () => {
  it('has each commit synced to the disk, which no kill of a process can show', async () => {
    const database = track(new Database(join(await newFolder(), 'training.sqlite')));
    expect(database.get('PRAGMA journal_mode')).toEqual({ journal_mode: 'wal' });
    // 2 is FULL: https://sqlite.org/pragma.html#pragma_synchronous
    expect(database.get('PRAGMA synchronous')).toEqual({ synchronous: 2 });
  });
});

describe('the group of a failing commit', () => {
  it('is committed without it when it fails after its first write', async () => {
    const store = await openStore(join(await newFolder(), 'training.sqlite'));
    const counters = countersOf(store);
    await counters.insert('owner', { count: 0 }, [eventOf('shared')]);
    const results = await Promise.allSettled([
      counters.insert('a', { count: 0 }, [eventOf('a')]),
      // The document is written before the numbering finds that the entity belongs to another one.
      counters.insert('thief', { count: 0 }, [eventOf('shared')]),
      counters.insert('b', { count: 0 }, [eventOf('b')]),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(results[1]).toMatchObject({ reason: { violations: [{ path: 'messages[0].entity' }] } });
    expect(await counters.get('thief')).toBeUndefined();
    const events = await store.outbox.pending(10);
    expect(events.map(({ entity, sequence }) => [entity, sequence])).toEqual([
      ['training.counter/shared', 1],
      ['training.counter/a', 1],
      ['training.counter/b', 1],
    ]);
  });
});
