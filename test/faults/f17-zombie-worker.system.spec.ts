import { type ChildProcess, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { findFreePorts } from '@millrace/broker';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { expectEachEffectOnce } from './effects.ts';
import { durationsOf, momentOf } from './quick-run.ts';
import { Trial, testSeed } from './support/trial.ts';

const stepsTried = ['train', 'evaluate'] as const;
const ownerOf = { train: 'training', evaluate: 'evaluation' } as const;

let trial: Trial;
let usual: ReadonlyMap<string, number>;
const seconds: ChildProcess[] = [];

beforeAll(async () => {
  trial = await Trial.start({ fault: 'F17', title: 'zombie workers', seed: testSeed });
  usual = durationsOf(await trial.run());
});

afterAll(async () => {
  for (const child of seconds) child.kill('SIGKILL');
  await trial?.stop();
});

/** A second process of a service, on the same store and broker, with ports of its own: who else could take over? */
const startSecond = async (service: string, pid: number): Promise<void> => {
  const environment = Object.fromEntries(
    (await readFile(`/proc/${pid}/environ`, 'utf8'))
      .split('\0')
      .filter((line) => line.includes('='))
      .map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const [grpc, http] = await findFreePorts('127.0.0.1', 2);
  // What ties the first one to its supervisor is not for the second.
  const { NODE_CHANNEL_FD: _, NODE_UNIQUE_ID: _id, ...env } = environment;
  const child = spawn(
    process.execPath,
    [
      '--disable-warning=ExperimentalWarning',
      fileURLToPath(import.meta.resolve(`@millrace/${service}/main`)),
    ],
    {
      env: { ...env, MILLRACE_GRPC_PORT: String(grpc), MILLRACE_HTTP_PORT: String(http) },
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    },
  );
  seconds.push(child);
  await new Promise<void>((resolve, reject) => {
    child.once('exit', (code) => reject(new Error(`the second ${service} ended with ${code}`)));
    child.on('message', (message) => {
      if ((message as { ready?: boolean }).ready === true) resolve();
    });
  });
};

/** Results that are on the stream of one step of a run, with the lease that each was made under. */
const leasesOf = (runId: string, step: string): readonly number[] =>
  trial.millrace.log.events
    .filter(({ type, key }) => type.includes('.step.') && key.startsWith(`${runId}.${step}.`))
    .map(({ data }) => (data as { result: { lease: number } }).result.lease);

test.each(stepsTried)(
  'a worker that stands still in the middle of %s is followed by one other, and reports nothing when it is back',
  async (step) => {
    const service = ownerOf[step];
    const zombie = (await trial.millrace.pids())[service] ?? 0;
    let runId = '';
    const run = await trial.during(() =>
      trial.run(async (id) => {
        runId = id;
        await momentOf(trial.millrace, { step, at: 0.2 }, id, usual);
        trial.inject(`SIGSTOP of the ${service} that does ${step}`);
        process.kill(zombie, 'SIGSTOP');
        try {
          await startSecond(service, zombie);
          await until('the result of another worker', () =>
            leasesOf(id, step).length > 0 ? true : undefined,
          );
        } finally {
          process.kill(zombie, 'SIGCONT');
          trial.heal(`SIGCONT of the ${service}`);
        }
        await trial.recover();
      }),
    );
    await expectEachEffectOnce(trial.millrace, run);
    // The zombie would have reported under the first lease.
    expect(leasesOf(runId, step)).toEqual([2]);
    seconds.pop()?.kill('SIGTERM');
  },
);

test('no output is mixed, lost or doubled', async () => {
  await trial.check();
  const leases = trial.millrace.log.events
    .filter(({ type }) => type.endsWith('.step.succeeded.v1'))
    .map(({ data }) => (data as { result: { lease: number } }).result.lease);
  console.log(
    `F17: ${leases.filter((lease) => lease > 1).length} of ${leases.length} steps by a second worker`,
  );
});
