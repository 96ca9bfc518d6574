import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isAlive, type RunningState, readRunningState } from '@millrace/installation';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';

const entry = fileURLToPath(new URL('../src/separate-main.ts', import.meta.url));

let dataDir: string;
let supervisor: ChildProcess;

interface Told {
  readonly ready?: { readonly url: string };
  readonly failed?: { readonly code: string; readonly message: string };
}

const forkSupervisor = (): ChildProcess =>
  fork(entry, {
    env: { ...process.env, MILLRACE_DATA_DIR: dataDir, MILLRACE_PORT: '0', MILLRACE_LOG_LEVEL: 'silent' },
    execArgv: ['--disable-warning=ExperimentalWarning'],
  });

/** What a supervisor says of its start, after whatever it says of its progress. */
const outcomeOf = async (child: ChildProcess): Promise<Told> => {
  for (;;) {
    const [told] = (await once(child, 'message')) as [Told];
    if (told.ready !== undefined || told.failed !== undefined) return told;
  }
};

const start = async (): Promise<void> => {
  supervisor = forkSupervisor();
  expect(await outcomeOf(supervisor)).toMatchObject({ ready: { url: expect.stringContaining('http://') } });
};

const state = async (): Promise<RunningState> => {
  const found = await readRunningState(dataDir);
  if (found === undefined) throw new Error('nothing runs');
  return found;
};

const eventually = <T>(check: () => T | Promise<T>): Promise<T> =>
  vi.waitFor(check, { timeout: 60_000, interval: 50 });

const expectAllGone = (pids: Readonly<Record<string, number>>): Promise<void> =>
  eventually(() => expect(Object.entries(pids).filter(([, pid]) => isAlive(pid))).toEqual([]));

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'millrace-separate-'));
  await start();
});

afterAll(async () => {
  if (supervisor.exitCode === null && supervisor.signalCode === null) {
    supervisor.kill('SIGTERM');
    await once(supervisor, 'exit');
  }
  await rm(dataDir, { recursive: true, force: true });
});

test('every service and the broker run as processes of their own', async () => {
  const { mode, pid, pids } = await state();
  expect({ mode, pid }).toEqual({ mode: 'separate', pid: supervisor.pid });
  expect(Object.keys(pids).sort()).toEqual([...serviceNames, 'broker'].sort());
  expect(new Set([...Object.values(pids), pid]).size).toBe(serviceNames.length + 2);
});

test('who dies is started again, is found where it was, and running.json says so', async () => {
  for (const victim of ['training', 'broker', 'gateway']) {
    const before = await state();
    const pid = before.pids[victim] ?? 0;
    process.kill(pid, 'SIGKILL');
    const after = await eventually(async () => {
      const now = await state();
      expect(now.pids[victim]).not.toBe(pid);
      expect(isAlive(now.pids[victim] ?? 0)).toBe(true);
      return now;
    });
    expect(after).toEqual({ ...before, pids: { ...before.pids, [victim]: after.pids[victim] } });
    await eventually(async () => {
      const answer = await fetch(`${after.url}/api/v1/status`);
      const { services } = (await answer.json()) as { services: Record<string, { ready: boolean }> };
      expect(Object.values(services).every(({ ready }) => ready)).toBe(true);
    });
  }
});

test('a second one on the same data directory is refused', async () => {
  const second = forkSupervisor();
  expect(await outcomeOf(second)).toMatchObject({
    failed: { code: 'conflict', message: expect.stringContaining(dataDir) },
  });
  await once(second, 'exit');
  expect(second.exitCode).toBe(4);
});

test('a supervisor that is killed leaves no orphan, and another one takes over its data', async () => {
  const { pids } = await state();
  supervisor.kill('SIGKILL');
  await expectAllGone(pids);
  await start();
});

test('told to end, it ends everything and takes running.json away', async () => {
  const { pids } = await state();
  supervisor.kill('SIGTERM');
  await once(supervisor, 'exit');
  expect(supervisor.exitCode).toBe(0);
  await expectAllGone(pids);
  await expect(readFile(join(dataDir, 'running.json'))).rejects.toThrow('ENOENT');
});

test('it ends with whoever started it, unless that one said to be left alone', async () => {
  await start();
  const { pids, pid } = await state();
  supervisor.disconnect();
  await expectAllGone({ ...pids, pid });
  await start();
  await new Promise((resolve) => supervisor.send({ detach: true }, resolve));
  supervisor.disconnect();
  const { url } = await state();
  expect((await fetch(`${url}/health/live`)).status).toBe(200);
});
