/**
 * Durable commits per second, each inserting a small document with one event, at several concurrencies.
 * By hand: `node libs/store/bench/commit.bench.ts [seconds per concurrency] [address of MongoDB]`; with an
 * address the figures are of that server, on databases of the bench's own, which are left behind.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type DocumentStore, openMongoStore, openSqliteStore } from '../src/index.ts';

const CONCURRENCIES = [1, 32, 256, 512];
const seconds = Number(process.argv[2] ?? 3);
const mongoUrl = process.argv[3];

const padded = (number: number): string => String(number).padStart(9, '0');

const openStore = (concurrency: number, folder: string): Promise<DocumentStore> => {
  const service = 'bench';
  if (mongoUrl === undefined)
    return openSqliteStore({ path: join(folder, `${concurrency}.sqlite`), service });
  return openMongoStore({ url: mongoUrl, database: `bench-${process.pid}-${concurrency}`, service });
};

/** On a fresh store, so that the figures do not depend on their order. */
const measure = async (concurrency: number, folder: string): Promise<void> => {
  const store = await openStore(concurrency, folder);
  const runs = store.collection<object>({
    name: 'runs',
    indexes: [
      { path: 'state', type: 'text' },
      { map: 'metrics', values: 'number' },
    ],
  });
  let next = 0;
  const commitOne = async (): Promise<void> => {
    next += 1;
    const key = `run-${padded(next)}`;
    await runs.insert(key, { state: 'running', metrics: { rmse: next / 7 } }, [
      {
        subject: 'millrace.evt.training.run.started.v1',
        type: 'millrace.training.run.started.v1',
        entity: `training.run/${key}`,
        key,
        data: { run: key, experiment: 'flights', startTime: '2026-01-01T00:00:00.000Z' },
      },
    ]);
  };
  const start = performance.now();
  const end = start + seconds * 1000;
  const worker = async (): Promise<void> => {
    while (performance.now() < end) await commitOne();
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const rate = (next / (performance.now() - start)) * 1000;
  console.log(`concurrency ${String(concurrency).padStart(3)}: ${rate.toFixed(0)} commits/s`);
  await store.close();
};

const folder = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
for (const concurrency of CONCURRENCIES) await measure(concurrency, folder);
await rm(folder, { recursive: true });
