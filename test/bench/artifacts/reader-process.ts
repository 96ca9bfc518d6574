/**
 * Small reads at a fixed rate from a process of their own, asked by `small-reads.ts`. Each begins when it is due, however
 * many before it still wait, and its latency counts from then: a stall counts for all that it delays.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createClient } from '@millrace/client';
import type { FromReader, ToReader } from './small-reads.ts';

const [url = ''] = process.argv.slice(2);
const everyMs = 10;
const unmeasured = 200;

const client = createClient({ url, user: 'bench-reader' });
const tell = (message: FromReader) => void process.send?.(message);

const readDueAt = async (due: number): Promise<number> => {
  await client.registry.listModels({ page: { limit: 1 } });
  return performance.now() - due;
};

/** Latencies of the reads that become due while it is wanted, milliseconds. */
const readWhile = async (wanted: (count: number) => boolean): Promise<number[]> => {
  const latencies: Promise<number>[] = [];
  for (let due = performance.now(); wanted(latencies.length); due += everyMs) {
    await pause(Math.max(0, due - performance.now()));
    const latency = readDueAt(due);
    // Whoever waits for all of them is told.
    latency.catch(() => {});
    latencies.push(latency);
  }
  return Promise.all(latencies);
};

let reads = false;
process.on('message', async (asked: ToReader) => {
  reads = asked === 'begin';
  if (asked === 'close') {
    await client.close();
    process.disconnect();
  }
  if (asked !== 'begin') return;
  await readWhile(() => reads).then(
    (latencies) => tell({ latencies }),
    (thrown: unknown) => tell({ failed: String(thrown) }),
  );
});
// The first load and compile what they need, at both ends.
await readWhile((count) => count < unmeasured);
tell('ready');
