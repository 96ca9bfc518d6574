import { execFileSync } from 'node:child_process';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, until } from '../support/wait.ts';
import { Trial, testSeed } from './support/trial.ts';

let trial: Trial;

beforeAll(async () => {
  trial = await Trial.start({ fault: 'F6b', title: 'out of file handles', seed: testSeed });
});

afterAll(async () => {
  await trial?.stop();
});

/** So low that no number of a new file handle is below it; those that are open stay. */
const lowest = 4;

/** Lets a process open nothing more; answers how to give it back what it had. */
const starve = (pid: number): (() => void) => {
  const limits = execFileSync('prlimit', [
    ...['--pid', String(pid), '--nofile', '--output', 'SOFT,HARD', '--noheadings', '--raw'],
  ]);
  const [soft = '', hard = ''] = limits.toString().trim().split(/\s+/);
  const set = (value: string | number) =>
    execFileSync('prlimit', ['--pid', String(pid), `--nofile=${value}:${hard}`]);
  set(lowest);
  return () => set(soft);
};

test.each(['registry', 'gateway', 'ingest'])(
  '%s without file handles refuses what it cannot do, lives on and recovers alone',
  async (service) => {
    const { millrace } = trial;
    const pid = (await millrace.pids())[service] ?? 0;
    trial.inject(`no file handles for ${service}`);
    const feed = starve(pid);
    const tried = trial.history.operations.length;
    await trial.during(async () => {
      await until('some writes', () => (trial.history.operations.length >= tried + 9 ? true : undefined));
    });
    const met = trial.history.operations.slice(tried).filter(({ outcome }) => outcome !== 'acknowledged');
    // The others have what they need open, or need no more for these writes.
    if (service === 'gateway') expect(met.length).toBeGreaterThan(0);
    for (const { kind, code } of met) expect({ kind, code }).toEqual({ kind: 'blob', code: 'exhausted' });
    feed();
    trial.heal('enough file handles');
    await trial.recover();
    expect((await millrace.pids())[service]).toBe(pid);
    // What it answers is read from the stores that it had open.
    await eventually('a prediction', async () =>
      expect(await trial.predict()).toMatchObject({ revision: 1 }),
    );
    expect((await trial.run()).state).toBe('RUN_STATE_SUCCEEDED');
  },
);

test('nothing is lost, doubled or left undone', async () => {
  await trial.check();
});
