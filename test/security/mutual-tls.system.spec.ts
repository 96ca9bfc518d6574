import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beginAuthorityChange, endAuthorityChange, renewCertificates } from '@millrace/certificates';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { submitQuickRun } from '../faults/quick-run.ts';
import { retried } from '../support/calls.ts';
import { flightsOf } from '../support/flights-traffic.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { until } from '../support/wait.ts';

let root: string;
let certificates: string;
let millrace: TestInstallation;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'millrace-security-'));
  certificates = join(root, 'certificates');
  millrace = await TestInstallation.start({
    separate: true,
    env: { MILLRACE_TLS_DIR: certificates, MILLRACE_LOG_LEVEL: 'info' },
  });
});
afterAll(async () => {
  delete process.env.MILLRACE_TLS_DIR;
  await millrace.stop();
  await rm(root, { recursive: true, force: true });
});

const allReady = () =>
  until('every service to be ready', async () => {
    const services = await millrace.client.status();
    return Object.values(services).every(({ ready }) => ready) ? true : undefined;
  });

/** How often each service has read its certificates, by its log. */
const readsOfCertificates = async (): Promise<ReadonlyMap<string, number>> => {
  const reads = new Map<string, number>();
  for (const line of (await readFile(join(millrace.dataDir, 'millrace.log'), 'utf8')).split('\n')) {
    if (!line.includes('"certificates read"')) continue;
    const { service } = JSON.parse(line) as { service: string };
    reads.set(service, (reads.get(service) ?? 0) + 1);
  }
  return reads;
};

/** Changes certificates, and waits until every service has noticed. */
const changed = async (change: () => Promise<unknown>): Promise<void> => {
  const before = await readsOfCertificates();
  await change();
  await until('every service to read its certificates', async () => {
    const now = await readsOfCertificates();
    const all = serviceNames.every((name) => (now.get(name) ?? 0) > (before.get(name) ?? 0));
    return all ? true : undefined;
  });
};

describe('services in processes of their own, with mutual TLS', () => {
  test('take a model from data to predictions, while all certificates, their authority and two processes are replaced', async () => {
    await allReady();
    expect([...(await readsOfCertificates()).keys()].sort()).toEqual([...serviceNames].sort());
    const id = await submitQuickRun(millrace, 'guarded', 1);
    await changed(() => beginAuthorityChange(certificates, new Date()));
    await changed(() => renewCertificates({ directory: certificates, now: new Date() }));
    await changed(() => endAuthorityChange(certificates));
    const pids = await millrace.pids();
    for (const name of ['registry', 'deployment']) process.kill(pids[name] ?? 0, 'SIGKILL');
    await until('new processes', async () => {
      const now = await millrace.pids();
      return now.registry !== pids.registry && now.deployment !== pids.deployment ? true : undefined;
    });
    await allReady();
    const paused = await followToPause(millrace, id);
    await millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) });
    const run = await followToEnd(millrace, id);
    expect(run.state).toBe('RUN_STATE_SUCCEEDED');
    const [flight] = await flightsOf('data/2013-01.csv');
    const answer = await retried('a prediction', () =>
      millrace.client.invoke('guarded', { dataframe_records: [flight] }),
    );
    expect(answer).toMatchObject({ predictions: [expect.any(Number)] });
  });
});
