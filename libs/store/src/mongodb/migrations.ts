import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { checkMigrations } from '../migration-checks.ts';
import type { DocumentStore, Migration } from '../port.ts';
import type { Connection } from './connection.ts';
import { isDuplicate } from './mongo-error.ts';

const LOCK = 'migration-lock';
/** How often the holder of the lock shows that it lives, milliseconds. */
const BEAT_MS = 2_000;
/** A lock that shows no life for so long is taken over. */
const SILENCE_MS = 15_000;
const LOOK_MS = 250;

export interface MigrationOptions {
  readonly connection: Connection;
  readonly now: () => Date;
}

interface Sight {
  readonly holder: string | undefined;
  readonly beat: number | undefined;
}

/** Waits until nobody holds the lock. No clock of another machine counts, only that its beat stands still here. */
const acquire = async (connection: Connection, holder: string): Promise<void> => {
  let seen: Sight = { holder: undefined, beat: undefined };
  for (let since = performance.now(); ; ) {
    const lock = await connection.run(({ meta }) => meta.findOne({ _id: LOCK }));
    if (lock === null) {
      if (await tryInsert(connection, holder)) return;
      continue;
    }
    if (lock.holder === holder) return;
    if (lock.holder !== seen.holder || lock.beat !== seen.beat) {
      seen = { holder: lock.holder, beat: lock.beat };
      since = performance.now();
    } else if (performance.now() - since > SILENCE_MS) {
      const { holder: former, beat } = seen;
      await connection.run(({ meta }) =>
        meta.updateOne({ _id: LOCK, holder: former, beat }, { $set: { holder, beat: 0 } }),
      );
      continue;
    }
    await delay(LOOK_MS);
  }
};

const tryInsert = (connection: Connection, holder: string): Promise<boolean> =>
  connection.run(async ({ meta }) => {
    try {
      await meta.insertOne({ _id: LOCK, holder, beat: 0 });
      return true;
    } catch (thrown) {
      if (isDuplicate(thrown)) return false;
      throw thrown;
    }
  });

/** Runs `work` in one process at a time. */
const locked = async (connection: Connection, work: () => Promise<void>): Promise<void> => {
  const holder = randomUUID();
  await acquire(connection, holder);
  const beating = setInterval(() => {
    // A beat that fails is followed by the next one.
    connection
      .once(({ meta }) => meta.updateOne({ _id: LOCK, holder }, { $inc: { beat: 1 } }))
      .catch(() => {});
  }, BEAT_MS).unref();
  try {
    await work();
  } finally {
    clearInterval(beating);
    await connection.run(({ meta }) => meta.deleteOne({ _id: LOCK, holder }));
  }
};

/** See `DocumentStore.migrate`. */
export const runMigrations = async (
  store: DocumentStore,
  migrations: readonly Migration[],
  { connection, now }: MigrationOptions,
): Promise<void> => {
  const findDue = async (): Promise<readonly Migration[]> => {
    const records = await connection.run((tables) => tables.migrations.find().sort({ _id: 1 }).toArray());
    checkMigrations(
      records.map(({ _id: number, name }) => ({ number, name })),
      migrations,
    );
    return migrations.slice(records.length);
  };
  if ((await findDue()).length === 0) return;
  await locked(connection, async () => {
    for (const { number, name, up } of await findDue()) {
      await up(store);
      const time = now().toISOString();
      await connection.run((tables) =>
        tables.migrations.updateOne({ _id: number }, { $set: { name, time } }, { upsert: true }),
      );
    }
  });
};
