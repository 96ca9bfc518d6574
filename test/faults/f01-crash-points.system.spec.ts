import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CrashPoint, crashPoints } from '@millrace/crash-points';
import { createRandom } from '@millrace/random';
import { type ServiceName, serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { until } from '../support/wait.ts';
import { isThorough, Trial, testSeed } from './support/trial.ts';

const folder = mkdtempSync(join(tmpdir(), 'millrace-crash-points-'));
const crashAt = join(folder, 'crash-at');
const crashLog = join(folder, 'passed');

/** Every service passes these whenever a run goes through it; all but the bridge and the gateway publish as well. */
const everyone = ['before-commit', 'after-commit', 'mid-batch', 'mid-handling', 'before-ack'] as const;
const everywhere = [...everyone, 'after-publish'] as const;
/** What each service passes of a run that is submitted, approved, deployed and asked for predictions. */
const passed: Readonly<Partial<Record<ServiceName, readonly CrashPoint[]>>> = {
  ingest: [...everywhere, 'mid-upload', 'mid-load'],
  training: [...everywhere, 'mid-upload', 'mid-load'],
  evaluation: [...everywhere, 'mid-upload', 'mid-load'],
  registry: [...everywhere, 'mid-load'],
  deployment: [...everywhere, 'mid-load', 'mid-model-load', 'mid-inference-batch'],
  monitoring: [...everywhere, 'mid-load'],
  pipeline: [...everywhere, 'mid-load'],
  bridge: everyone,
  gateway: [...everyone, 'mid-upload', 'mid-load'],
};
const matrix = serviceNames.flatMap((service) =>
  (passed[service] ?? []).map((point) => `${service}:${point}`),
);
const sampleSize = 6;
const random = createRandom(testSeed);
const chosen = isThorough ? matrix : random.shuffle([...matrix]).slice(0, sampleSize);

let trial: Trial;

/** A run from its submission to its end, with predictions and a download on the way. */
const runThrough = () =>
  trial.during(async () => {
    const run = await trial.run(async () => {
      await trial.predict();
    });
    const digest = run.project?.manifestDigest ?? '';
    await trial.millrace.client.downloadBlob(digest).then(
      (blob) => blob.resume(),
      () => {},
    );
    return run;
  });

beforeAll(async () => {
  trial = await Trial.start({
    fault: 'F1',
    title: `killed at ${chosen.length} of ${matrix.length} crash points`,
    seed: testSeed,
    env: {
      MILLRACE_TEST_FAULTS: '1',
      MILLRACE_CRASH_AT: `file:${crashAt}`,
      MILLRACE_CRASH_LOG: crashLog,
    },
  });
});

afterAll(async () => {
  await trial?.stop();
  rmSync(folder, { recursive: true });
});

test('every service passes the crash points that it is said to pass, and every point is passed', async () => {
  expect(serviceNames.filter((name) => passed[name] === undefined)).toEqual([]);
  await runThrough();
  const lines = new Set(readFileSync(crashLog, 'utf8').trim().split('\n'));
  expect(matrix.filter((target) => !lines.has(target))).toEqual([]);
  const points = new Set([...lines].map((line) => line.split(':')[1]));
  expect([...points].sort()).toEqual(Object.keys(crashPoints).sort());
});

test.each(chosen)('a run completes when a service dies at %s', async (target) => {
  const [service = ''] = target.split(':');
  const { [service]: pid = 0 } = await trial.millrace.pids();
  const pass = 1 + Math.floor(random.derive(target).uniform() * 3);
  writeFileSync(crashAt, `${target}:${pass}`);
  const dieAndRecover = async () => {
    await until(`${service} to die at ${target}`, () => (existsSync(crashAt) ? undefined : true), 200_000);
    trial.inject(`crash at ${target}, pass ${pass}`);
    await trial.untilBack(service, pid);
    await trial.recover();
  };
  // Some are passed once in a run: the second or third run gets there then.
  const runUntilDead = async () => {
    while (existsSync(crashAt)) expect((await runThrough()).state).toBe('RUN_STATE_SUCCEEDED');
  };
  await Promise.all([dieAndRecover(), runUntilDead()]);
});

test('nothing is lost, doubled or left undone', async () => {
  await trial.check();
});
