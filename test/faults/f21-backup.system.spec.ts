import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { millraceCommand } from '../support/cli.ts';
import { until } from '../support/wait.ts';
import type { Operation } from './support/history.ts';
import { Trial, testSeed } from './support/trial.ts';

let folder: string;
let trial: Trial;
let backup: string;
const lines: string[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-f21-'));
  trial = await Trial.start({
    fault: 'F21',
    title: 'everything restored from a backup taken under load',
    seed: testSeed,
    separate: false,
  });
});

afterAll(async () => {
  await trial?.stop();
  await rm(folder, { recursive: true, force: true });
  console.log(lines.join('\n'));
});

interface Manifest {
  readonly cutAt: string;
  readonly fenceMs: number;
  readonly stores: readonly { readonly path: string; readonly bytes: number }[];
  readonly blobs: { readonly count: number; readonly totalBytes: number };
}

const millrace = async (dataDir: string, ...args: string[]) =>
  millraceCommand(args, { dataDir, cwd: folder });

/** Takes a backup by the command line, as the platform runs and is written to. */
const backUp = async (name: string): Promise<{ directory: string; manifest: Manifest }> => {
  const directory = join(folder, name);
  const { exitCode, stdout, stderr } = await millrace(
    trial.millrace.dataDir,
    'backup',
    'create',
    directory,
    '--json',
  );
  expect(exitCode, stderr).toBe(0);
  const manifest = JSON.parse(stdout) as Manifest;
  const bytes = manifest.stores.reduce((sum, store) => sum + store.bytes, 0) + manifest.blobs.totalBytes;
  lines.push(
    `F21 ${name}: ${manifest.stores.length} stores and ${manifest.blobs.count} blobs, ${(bytes / 1e6).toFixed(1)} MB; commits waited ${manifest.fenceMs} ms`,
  );
  return { directory, manifest };
};

/** Until when a call was under way. */
const endOf = ({ startedAt, tookMs }: Operation): number => Date.parse(startedAt) + tookMs;

/** What was acknowledged after the moment of the backup may be there or not, as of a call without answer. */
const forgetAfter = (cutAt: string): { readonly before: number; readonly after: number } => {
  const { operations } = trial.history;
  let after = 0;
  for (const [index, operation] of operations.entries()) {
    // The time of a start is cut to milliseconds.
    if (operation.outcome !== 'acknowledged' || endOf(operation) < Date.parse(cutAt)) continue;
    operations[index] = { ...operation, outcome: 'unknown' };
    after += 1;
  }
  return { before: operations.length - after, after };
};

const restoreInto = async (name: string, directory: string): Promise<string> => {
  const dataDir = join(folder, name);
  const { exitCode, stderr } = await millrace(dataDir, 'restore', directory, '--json');
  expect(exitCode, stderr).toBe(0);
  return dataDir;
};

const untilWritten = (count: number): Promise<true> => {
  const { length } = trial.history.operations;
  return until('writes', () => (trial.history.operations.length >= length + count ? true : undefined));
};

test('a backup under load, restored on an empty machine with an empty broker, is whole as of its moment', async () => {
  const open = await trial.submit();
  const approved = await trial.submit();
  trial.workload.start();
  const approving = trial.approve(approved).catch(() => {});
  await trial.predict();
  await untilWritten(20);
  const { directory, manifest } = await backUp('first backup');
  backup = directory;
  await trial.predict();
  await untilWritten(20);

  const restored = join(folder, 'second machine');
  await trial.goOnWith(restored, async () => {
    await trial.workload.stop();
    await approving;
    trial.inject('everything killed, its disk and its broker gone');
    const { before, after } = forgetAfter(manifest.cutAt);
    lines.push(`F21 empty broker: ${before} calls before the moment of the backup, ${after} after it`);
    await restoreInto('second machine', directory);
    expect(await readdir(restored)).not.toContain('nats');
    trial.heal('restored');
  });
  await trial.recover();
  await trial.approve(open);
  const { state } = await trial.run();
  expect(state).toBe('RUN_STATE_SUCCEEDED');
});

test('a restored Millrace takes a broker whose store is older than its own', async () => {
  const older = join(folder, 'older broker');
  await cp(join(trial.millrace.dataDir, 'nats'), older, {
    recursive: true,
    filter: (path) => !/\.(pid|lock|sock)$/.test(path),
  });
  await trial.submit();
  trial.workload.start();
  await untilWritten(20);
  const { directory, manifest } = await backUp('second backup');
  await untilWritten(10);
  const restored = join(folder, 'third machine');
  await trial.goOnWith(restored, async () => {
    await trial.workload.stop();
    trial.inject('everything killed, the broker set back');
    const { before, after } = forgetAfter(manifest.cutAt);
    lines.push(`F21 older broker: ${before} calls before the moment of the backup, ${after} after it`);
    await restoreInto('third machine', directory);
    await cp(older, join(restored, 'nats'), { recursive: true });
    trial.heal('restored');
  });
  await trial.recover();
});

test('nothing acknowledged before the moment of the backup is lost, doubled or left undone', async () => {
  await trial.check({ repeatedEvents: true, reorderedEvents: true });
});

test('a backup with a flipped bit is refused by the name of its file, and changes nothing', async () => {
  const store = join(backup, 'stores', 'registry.sqlite');
  const bytes = await readFile(store);
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  await writeFile(store, bytes);
  const { exitCode, stderr } = await millrace(join(folder, 'fourth machine'), 'restore', backup);
  expect(exitCode).toBe(5);
  expect(stderr).toContain('stores/registry.sqlite: its content was changed');
  expect(await readdir(folder)).not.toContain('fourth machine');
});
