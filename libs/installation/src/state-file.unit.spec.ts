import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  isAlive,
  type RunningState,
  readRunningState,
  removeRunningState,
  writeRunningState,
} from './index.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-state-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const state: RunningState = {
  pid: process.pid,
  url: 'http://127.0.0.1:7700',
  natsUrl: 'nats://127.0.0.1:4222',
  mode: 'embedded',
  pids: {},
  startedAt: 1,
};
/** No process has it: ids are at most 2^22. */
const nobody = 2 ** 22 + 1;

describe('the state of a running Millrace', () => {
  it('is found by its data directory until it is removed', async () => {
    expect(await readRunningState(directory)).toBeUndefined();
    await writeRunningState(directory, state);
    expect(await readRunningState(directory)).toEqual(state);
    expect(await readdir(directory)).toEqual(['running.json']);
    await removeRunningState(directory);
    await removeRunningState(directory);
    expect(await readRunningState(directory)).toBeUndefined();
  });

  it('of a process that is gone, or cut off by a crash, is none', async () => {
    await writeRunningState(directory, { ...state, pid: nobody });
    expect(await readRunningState(directory)).toBeUndefined();
    await writeFile(join(directory, 'running.json'), '{"pid":');
    expect(await readRunningState(directory)).toBeUndefined();
  });

  it('knows who is alive', () => {
    expect(isAlive(process.pid)).toBe(true);
    expect(isAlive(nobody)).toBe(false);
  });
});
