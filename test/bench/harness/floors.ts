import { spawnSync } from 'node:child_process';
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { median } from './benchmark.ts';

/** A Node process that does nothing, from start to end, milliseconds. */
export const nodeStartMs = (repeats = 5): number =>
  median(
    Array.from({ length: repeats }, () => {
      const startedAt = performance.now();
      spawnSync(process.execPath, ['-e', '0']);
      return performance.now() - startedAt;
    }),
  );

/** Appending 512 bytes durably, milliseconds: what a commit cannot go below. */
export const durableAppendMs = (repeats = 200): number => {
  const directory = mkdtempSync(join(tmpdir(), 'millrace-bench-'));
  const file = openSync(join(directory, 'file'), 'a');
  const block = Buffer.alloc(512, 1);
  const times = Array.from({ length: repeats }, () => {
    const startedAt = performance.now();
    writeSync(file, block);
    fdatasyncSync(file);
    return performance.now() - startedAt;
  });
  closeSync(file);
  rmSync(directory, { recursive: true });
  return median(times);
};

/** What the figures were measured on. */
export const machine = () => ({
  cores: cpus().length,
  processor: cpus()[0]?.model ?? 'unknown',
  memoryGb: Math.round(totalmem() / 2 ** 30),
  node: process.version,
});
