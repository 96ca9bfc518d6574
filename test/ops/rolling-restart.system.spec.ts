import { messageOf } from '@millrace/errors';
import { serviceNames } from '@millrace/service-kit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { submitQuickRun } from '../faults/quick-run.ts';
import { retried } from '../support/calls.ts';
import { millraceCommand } from '../support/cli.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf } from '../support/runs.ts';
import { pause, until } from '../support/wait.ts';

const intervalMs = 40;
const callersOfEach = 1;

/** Calls of one kind, made one after the other for as long as told, none of them repeated. */
class Caller {
  readonly kind: string;
  readonly failures: string[] = [];
  calls = 0;
  longestMs = 0;
  readonly #call: (number: number) => Promise<unknown>;

  constructor(kind: string, call: (number: number) => Promise<unknown>) {
    this.kind = kind;
    this.#call = call;
  }

  async go(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.calls += 1;
      const begun = performance.now();
      try {
        await this.#call(this.calls);
      } catch (thrown) {
        this.failures.push(`${new Date().toISOString()} ${messageOf(thrown)}`);
      }
      this.longestMs = Math.max(this.longestMs, performance.now() - begun);
      await pause(intervalMs);
    }
  }
}

let millrace: TestInstallation;

beforeAll(async () => {
  millrace = await TestInstallation.start({ separate: true, env: { MILLRACE_STEP_LEASE_MS: '2000' } });
});
afterAll(() => millrace?.stop());

const runToEnd = async (name: string, seed: number) => {
  const id = await submitQuickRun(millrace, name, seed);
  return { id, ended: finish(id) };
};

const finish = async (id: string) => {
  const paused = await followToPause(millrace, id, 120_000);
  if (paused.state === 'RUN_STATE_WAITING') {
    await retried('the approval', () =>
      millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) }),
    );
  }
  return followToEnd(millrace, id, 120_000);
};

test('every service is replaced under load and no call fails', { timeout: 300_000 }, async () => {
  const { client } = millrace;
  const served = await (await runToEnd('served', 1)).ended;
  expect(served.state).toBe('RUN_STATE_SUCCEEDED');
  const { modelVersion } = await client.registry.getModelVersion({ model: 'served', version: 1 });
  const trainingRun = served.steps
    .flatMap(({ outputs }) => outputs)
    .find(({ kind }) => kind === 'training_run');
  const rows = { dataframe_records: modelVersion?.inputExample.slice(0, 1) };

  const metrics = new Set<number>();
  const callers = [
    new Caller('predictions', () => client.invoke('served', rows)),
    new Caller('reads of the registry', () => client.registry.listModels({})),
    new Caller('reads of the pipeline', () => client.pipeline.getRun({ id: served.id })),
    new Caller('reads of deployment', () => client.deployment.getEndpoint({ name: 'served' })),
    new Caller('reads of monitoring', () => client.monitoring.getMonitor({ endpoint: 'served' })),
    new Caller('writes to training', async (step) => {
      const time = new Date(Date.UTC(2013, 0, 1) + step * 1_000).toISOString();
      await client.training.logBatch({
        runId: trainingRun?.id ?? '',
        metrics: [{ key: 'beat', value: step, step, time }],
      });
      metrics.add(step);
    }),
    new Caller('writes to the registry', (number) =>
      client.registry.setPolicy({
        model: 'served',
        policy: { requiredApprovals: 1, approvalExpiryDays: number % 3_650 },
      }),
    ),
  ];
  const end = new AbortController();
  const calling = callers.flatMap((caller) =>
    Array.from({ length: callersOfEach }, () => caller.go(end.signal)),
  );
  const run = await runToEnd('under-way', 2);
  await until('some calls', () => (callers.every(({ calls }) => calls > 3) ? true : undefined));
  const before = await millrace.pids();

  const { exitCode, stdout, stderr } = await millraceCommand(['restart', '--json'], {
    dataDir: millrace.dataDir,
    cwd: millrace.dataDir,
  });
  expect(exitCode, stderr).toBe(0);
  const restarted = JSON.parse(stdout) as { service: string; tookMs: number }[];
  expect(restarted.map(({ service }) => service)).toEqual([...serviceNames]);
  const { state } = await run.ended;
  const after = await millrace.pids();
  end.abort();
  await Promise.all(calling);

  const total = callers.reduce((sum, { calls }) => sum + calls, 0);
  const failed = callers.flatMap(({ kind, failures }) => failures.map((failure) => `${kind}: ${failure}`));
  console.log(
    [
      `rolling restart of ${restarted.length} services in ${restarted.reduce((sum, { tookMs }) => sum + tookMs, 0)} ms: ${total} calls, ${failed.length} failed`,
      ...callers.map(
        ({ kind, calls, failures, longestMs }) =>
          `  ${kind}: ${calls}, ${failures.length} failed, the longest ${Math.round(longestMs)} ms`,
      ),
      ...restarted.map(({ service, tookMs }) => `  ${service}: ${tookMs} ms`),
    ].join('\n'),
  );
  expect(failed).toEqual([]);
  expect(state).toBe('RUN_STATE_SUCCEEDED');
  for (const name of serviceNames) expect(after[name], name).not.toBe(before[name]);
  const found = new Set<number>();
  for (let cursor = ''; ; ) {
    const page = await client.training.getMetricHistory({
      runId: trainingRun?.id ?? '',
      key: 'beat',
      page: { limit: 1_000, cursor },
    });
    for (const { step } of page.metrics) found.add(step);
    cursor = page.page?.nextCursor ?? '';
    if (cursor === '') break;
  }
  expect([...metrics].filter((step) => !found.has(step))).toEqual([]);
});

test('a name that is none changes nothing, and a single service can be replaced', async () => {
  const where = { dataDir: millrace.dataDir, cwd: millrace.dataDir };
  const before = await millrace.pids();
  const wrong = await millraceCommand(['restart', 'nobody'], where);
  expect(wrong.exitCode).toBe(2);
  expect(wrong.stderr).toContain('"nobody" is none of');
  expect(await millrace.pids()).toEqual(before);
  expect((await millraceCommand(['restart', 'registry'], where)).exitCode).toBe(0);
  const after = await millrace.pids();
  expect(Object.keys(after).filter((name) => after[name] !== before[name])).toEqual(['registry']);
});
