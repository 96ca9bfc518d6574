import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { createRandom, type Random } from '@millrace/random';
import { serviceNames } from '@millrace/service-kit';
import { logEnd } from '@millrace/store/log-end';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { pause } from '../support/wait.ts';
import { isThorough, Trial, testSeed } from './support/trial.ts';

const cuts = isThorough ? 12 : 2;
const random = createRandom(testSeed);
const folder = mkdtempSync(join(tmpdir(), 'millrace-power-'));

let trial: Trial;

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F5',
    title: 'power lost',
    seed: testSeed,
    separate: false,
  });
});

afterAll(async () => {
  await trial?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const copied = { recursive: true, preserveTimestamps: true };

/** What the broker had on disk some seconds ago: it syncs every five seconds, the stores at each commit. */
const copyBroker = (dataDir: string, to: string): void =>
  cpSync(join(dataDir, 'nats'), join(to, 'nats'), {
    ...copied,
    // Sockets and locks of the living one.
    filter: (path) => !/\.(pid|lock|sock)$/.test(path),
  });

/** Everything but the broker, as it is while the process is held. */
const copyStores = (dataDir: string, to: string): void => {
  for (const name of [...serviceNames, 'blobs']) {
    if (existsSync(join(dataDir, name))) cpSync(join(dataDir, name), join(to, name), copied);
  }
};

const walHeaderBytes = 32;
const frameBytes = 4_096 + 24;

/** Part of a frame that was being written, where the log ends: a real one, torn at a random byte, or garbage. */
const tearWal = (path: string, own: Random): number => {
  const wal = existsSync(path) ? readFileSync(path) : Buffer.alloc(0);
  const end = logEnd(wal);
  if (end < walHeaderBytes + frameBytes) return 0;
  const length = 1 + Math.floor(own.uniform() * (2 * frameBytes));
  const torn =
    own.uniform() < 0.5
      ? wal.subarray(walHeaderBytes, walHeaderBytes + Math.min(length, frameBytes - 1))
      : Buffer.from(Array.from({ length }, () => Math.floor(own.uniform() * 256)));
  writeFileSync(path, Buffer.concat([wal.subarray(0, end), torn, wal.subarray(end + torn.length)]));
  return torn.length;
};

const integrityOf = (path: string): unknown => {
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    return database.prepare('PRAGMA integrity_check').get();
  } finally {
    database.close();
  }
};

test.each(Array.from({ length: cuts }, (_, i) => i + 1))(
  'everything acknowledged is there after power loss %i, a torn tail is dropped',
  async (number) => {
    const own = random.derive(`cut ${number}`);
    const { dataDir } = trial.millrace;
    const { pid } = await trial.millrace.state();
    const image = join(folder, String(number));
    await trial.submit();
    trial.workload.start();
    await pause(own.uniform() * 1_500);
    copyBroker(dataDir, image);
    await pause(500 + own.uniform() * 2_000);

    // Nothing runs while the stores are copied: they are of one moment, like the plates of a disk.
    process.kill(pid, 'SIGSTOP');
    copyStores(dataDir, image);
    trial.inject('power lost');
    await trial.goOnWith(image, async () => {
      await trial.workload.stop();
      let torn = 0;
      for (const name of serviceNames) {
        const path = join(image, name, 'store.sqlite');
        if (!existsSync(path)) continue;
        torn += tearWal(`${path}-wal`, own);
        expect(integrityOf(path)).toEqual({ integrity_check: 'ok' });
      }
      expect(torn).toBeGreaterThan(0);
    });
    await trial.recover();
  },
);

test('nothing acknowledged is lost, and the stream is whole again', async () => {
  await trial.check({ repeatedEvents: true, reorderedEvents: true });
});
