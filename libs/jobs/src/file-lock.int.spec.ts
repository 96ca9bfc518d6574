import { mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TimedOut } from '@millrace/errors';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { withFileLock } from './file-lock.ts';

let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-lock-'));
  path = join(directory, 'build.lock');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

/** As left by a process that cannot be seen from here; the same process id lives here, too. */
const heldElsewhere = () => writeFile(path, JSON.stringify({ pid: process.pid, host: 'another-container' }));

test('one after the other does its work, and the lock is gone after it', async () => {
  const order: string[] = [];
  const work = (name: string) => async () => {
    order.push(`${name} begins`);
    await readFile(path);
    order.push(`${name} ends`);
  };
  await Promise.all(['one', 'two'].map((name) => withFileLock(path, { timeoutMs: 10_000 }, work(name))));
  expect(order[1]).toBe(order[0]?.replace('begins', 'ends'));
  await expect(readFile(path)).rejects.toThrow('ENOENT');
});

test('the lock of a holder in another container is waited for while it shows signs of life', async () => {
  await heldElsewhere();
  let touched = 0;
  const signs = setInterval(() => {
    touched += 1;
    void utimes(path, touched, touched);
  }, 50);
  const waiting = withFileLock(path, { timeoutMs: 2_000, silenceMs: 1_000 }, async () => 'worked');
  await expect(waiting).rejects.toThrow(TimedOut);
  clearInterval(signs);
});

test('the lock of a holder in another container that went silent is taken over', async () => {
  await heldElsewhere();
  await expect(withFileLock(path, { timeoutMs: 60_000, silenceMs: 300 }, async () => 'worked')).resolves.toBe(
    'worked',
  );
});
