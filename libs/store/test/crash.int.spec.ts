import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import type { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { type DocumentStore, type Durability, openSqliteStore } from '../src/index.ts';
import { logEnd } from './log-end.ts';
import { useFolders } from './temporary-folder.ts';

const newFolder = useFolders();
const service = 'training';
const definition = { name: 'runs', indexes: [{ path: 'number', type: 'number' }] } as const;

const startCommitLoop = (...args: string[]): ChildProcessByStdio<null, Readable, null> =>
  spawn(process.execPath, [join(import.meta.dirname, 'commit-loop.ts'), ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });

/** Kills the process as soon as it has acknowledged `atLeast` commits; returns all that it acknowledged. */
const killAfter = async (
  path: string,
  atLeast: number,
  durability: Durability = 'full',
): Promise<readonly string[]> => {
  const child = startCommitLoop(`sqlite:${path}`, service, 'endless', durability);
  const exited = once(child, 'exit');
  const acknowledged: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    acknowledged.push(line);
    if (acknowledged.length === atLeast) child.kill('SIGKILL');
  }
  expect((await exited)[1]).toBe('SIGKILL');
  return acknowledged;
};

const integrityOf = (path: string): unknown => {
  const database = new DatabaseSync(path);
  try {
    return database.prepare('PRAGMA integrity_check').get();
  } finally {
    database.close();
  }
};

const keysIn = async (store: DocumentStore): Promise<readonly string[]> => {
  const keys: string[] = [];
  for await (const { key } of store.collection(definition).scan()) keys.push(key);
  return keys;
};

/** Expects each document to have its one event, and the reverse; returns the keys. */
const expectAgreement = async (path: string): Promise<ReadonlySet<string>> => {
  const store = await openSqliteStore({ path, service });
  try {
    const keys = await keysIn(store);
    expect((await store.outbox.stats()).pending).toBe(keys.length);
    for (const key of keys) {
      const events = await store.outbox.history(`training.run/${key}`, 0);
      expect(events.map((event) => [event.key, event.sequence])).toEqual([[key, 1]]);
    }
    const indexed = await store.collection(definition).count({ field: 'number', op: 'gte', value: 0 });
    expect(indexed).toBe(keys.length);
    return new Set(keys);
  } finally {
    await store.close();
  }
};

describe('a process killed while it commits', () => {
  it('leaves every acknowledged commit with its event, time after time on the same store', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    const acknowledged: string[] = [];
    for (const atLeast of [1, 50, 333, 1000]) {
      acknowledged.push(...(await killAfter(path, atLeast)));
      const present = await expectAgreement(path);
      expect(acknowledged.filter((key) => !present.has(key))).toEqual([]);
    }
    expect(integrityOf(path)).toEqual({ integrity_check: 'ok' });
  });
});

/** Numbers in [0, 1): mulberry32, so that a failure can be repeated. */
const seeded = (seed: number): (() => number) => {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

interface Snapshot {
  /** Where the write-ahead log ended when the commits up to then were acknowledged, bytes. */
  readonly logEnd: number;
  readonly keys: readonly string[];
}

/** So many that the log is given room in their midst. */
const snapshotGroups = 100;

/** Commits in small groups and notes where the log ends after each. The store stays open: no checkpoint. */
const commitWithSnapshots = async (path: string, store: DocumentStore): Promise<readonly Snapshot[]> => {
  const runs = store.collection<object>(definition);
  const snapshots: Snapshot[] = [];
  const keys: string[] = [];
  for (let group = 0; group < snapshotGroups; group += 1) {
    const added = Array.from({ length: 3 }, (_, index) => `run-${group * 3 + index}`);
    await Promise.all(
      added.map((key, index) =>
        runs.insert(key, { number: group * 3 + index }, [
          { subject: 's', type: 't', entity: `training.run/${key}`, key, data: null },
        ]),
      ),
    );
    keys.push(...added);
    snapshots.push({ logEnd: logEnd(await readFile(`${path}-wal`)), keys: [...keys] });
  }
  return snapshots;
};

describe('commits with delayed durability', () => {
  it('outlive the process, alone and in the midst of others', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    const acknowledged = await killAfter(path, 200, 'delayed');
    const store = await openSqliteStore({ path, service });
    const present = new Set(await keysIn(store));
    expect(acknowledged.filter((key) => !present.has(key))).toEqual([]);
    await store.close();
    expect(integrityOf(path)).toEqual({ integrity_check: 'ok' });
  });
});

describe('the room of the write-ahead log', () => {
  it('is made once and then used, so that commits do not lengthen it', async () => {
    const path = join(await newFolder(), 'training.sqlite');
    const store = await openSqliteStore({ path, service });
    const runs = store.collection<object>(definition);
    const sizes: number[] = [];
    const ends: number[] = [];
    for (let number = 0; number < 1_200; number += 1) {
      await runs.update('a', () => ({ document: { number } }));
      if (number < 64 || number % 40 > 0) continue;
      const log = await readFile(`${path}-wal`);
      sizes.push(log.length);
      ends.push(logEnd(log));
    }
    expect(new Set(sizes).size).toBe(1);
    // A checkpoint came between, after which the log began anew in the same room.
    expect(ends.some((end, i) => end < (ends[i - 1] ?? 0))).toBe(true);
    await store.close();
  });
});

describe('a write-ahead log torn by a power cut', () => {
  const random = seeded(20_260_101);

  const expectSurvivors = async (path: string, snapshots: readonly Snapshot[], intact: number) => {
    expect(integrityOf(path)).toEqual({ integrity_check: 'ok' });
    const present = await expectAgreement(path);
    const due = snapshots.findLast((snapshot) => snapshot.logEnd <= intact)?.keys ?? [];
    expect(due.filter((key) => !present.has(key))).toEqual([]);
  };

  it('keeps all that was acknowledged before the tear, wherever it is cut or overwritten', async () => {
    const folder = await newFolder();
    const path = join(folder, 'training.sqlite');
    const store = await openSqliteStore({ path, service });
    store.collection(definition);
    const snapshots = await commitWithSnapshots(path, store);
    const database = await readFile(path);
    const wal = await readFile(`${path}-wal`);
    await store.close();

    // From the first commit on: a log cut before it holds not even the tables.
    const first = snapshots[0]!.logEnd;
    const last = snapshots.at(-1)!.logEnd;
    expect(wal.length).toBeGreaterThan(last);
    for (let round = 0; round < 25; round += 1) {
      const copy = join(folder, `copy-${round}.sqlite`);
      const cut = first + Math.floor(random() * (last - first));
      await writeFile(copy, database);
      await writeFile(`${copy}-wal`, wal);
      if (round % 2 === 0) await truncate(`${copy}-wal`, cut);
      else await writeFile(`${copy}-wal`, Buffer.concat([wal.subarray(0, cut), garbage(wal.length - cut)]));
      await expectSurvivors(copy, snapshots, cut);
    }
  });

  const garbage = (length: number): Buffer =>
    Buffer.from(Uint8Array.from({ length }, () => Math.floor(random() * 256)));

  it('keeps the commits of copies taken while a process commits', async () => {
    const folder = await newFolder();
    const path = join(folder, 'training.sqlite');
    const acknowledged = await killAfter(path, 200);
    const wal = await readFile(`${path}-wal`);
    const whole = wal.subarray(0, logEnd(wal));
    for (let round = 0; round < 5; round += 1) {
      const copy = join(folder, `copy-${round}.sqlite`);
      await copyFile(path, copy);
      await writeFile(`${copy}-wal`, Buffer.concat([whole, garbage(Math.floor(random() * 9000))]));
      const present = await expectAgreement(copy);
      expect(acknowledged.filter((key) => !present.has(key))).toEqual([]);
    }
  });
});
