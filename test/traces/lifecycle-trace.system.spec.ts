import { execFile } from 'node:child_process';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Run } from '@millrace/contracts/pipeline';
import { conventionOf, type SpanRecord, spanProblems } from '@millrace/telemetry';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { millraceCommand } from '../support/cli.ts';
import { flightsDirectory, quickRecipe, someFlights, writeProject } from '../support/flights-project.ts';
import { flightsOf } from '../support/flights-traffic.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf, submit } from '../support/runs.ts';
import { eventually } from '../support/wait.ts';
import { CollectedSpans } from './collected-spans.ts';
import { type Jaeger, startJaeger } from './jaeger-server.ts';
import { checkInJaeger, checkRunTrace, servicesOf, servicesOfARun } from './trace-checks.ts';

const endpoint = 'flights';
const windowRecords = 400;
const batch = 20;
/** Span of a caller that is none of ours. */
const callerSpan = '00f067aa0ba902b7';
/** Written by a person, so that it must not be found in any attribute. */
const reason = 'because Grace Hopper looked at it';

let jaeger: Jaeger;
beforeAll(async () => {
  jaeger = await startJaeger();
}, 900_000);
afterAll(() => jaeger?.stop());

interface Predictions {
  readonly prediction_ids: readonly string[];
  readonly revision: number;
}

/** Asks in a trace of the caller's, which is recorded however many come. */
const invoke = (
  { url }: TestInstallation,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<Response> =>
  fetch(`${url}/endpoints/${endpoint}/invocations`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', traceparent: newTraceparent('01') },
    body: JSON.stringify({ dataframe_records: rows }),
  });

const newTraceparent = (flags: '00' | '01'): string =>
  `00-${crypto.randomUUID().replaceAll('-', '')}-${callerSpan}-${flags}`;

/** Sends rows in batches and answers the ids of their predictions. */
const predict = async (
  millrace: TestInstallation,
  rows: readonly Readonly<Record<string, unknown>>[],
): Promise<readonly string[]> => {
  const ids: string[] = [];
  for (let i = 0; i < rows.length; i += batch) {
    const answer = await invoke(millrace, rows.slice(i, i + batch));
    ids.push(...((await answer.json()) as Predictions).prediction_ids);
  }
  return ids;
};

/** Runs to the end, with an approval where the run waits for one. */
const runToEnd = async (millrace: TestInstallation, root: string, profile = ''): Promise<Run> => {
  const { id } = await submit(millrace.client, { root, profile });
  const paused = await followToPause(millrace, id);
  const version = modelVersionOf(paused);
  await millrace.client.registry.approveModelVersion({ ...version, actor: { reason } });
  const ended = await followToEnd(millrace, id);
  expect(ended.state).toBe('RUN_STATE_SUCCEEDED');
  return ended;
};

describe('the trace of a whole lifecycle in one process', () => {
  let millrace: TestInstallation;
  let collected: CollectedSpans;
  let root: string;
  let first: Run;
  let predictionIds: readonly string[];

  const git = (...args: string[]) => promisify(execFile)('git', ['-C', root, ...args]);

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'millrace-traced-'));
    for (const part of ['recipe.yaml', 'profiles', 'data']) {
      await cp(join(flightsDirectory, part), join(root, part), { recursive: true });
    }
    await git('init', '-q');
    await git('add', '.');
    await git('-c', 'user.name=ada', '-c', 'user.email=ada@example.org', 'commit', '-q', '-m', 'flights');
    millrace = await TestInstallation.start({
      separate: false,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl },
    });
    collected = await CollectedSpans.open((await millrace.state()).natsUrl);
  });
  afterAll(async () => {
    await collected?.stop();
    await millrace?.stop();
    await rm(root, { recursive: true, force: true });
  });

  test('a model is trained, approved, deployed and asked; another takes over, drifts and is rolled back', async () => {
    const { client, log } = millrace;
    first = await runToEnd(millrace, root, 'baseline');
    predictionIds = await predict(millrace, (await flightsOf('live/2013-winter.csv')).slice(0, batch));
    const recipe = await readFile(join(root, 'recipe.yaml'), 'utf8');
    await writeFile(join(root, 'recipe.yaml'), recipe.replace('seed: 42', 'seed: 43'));
    await runToEnd(millrace, root, 'baseline');
    await client.deployment.promote({ endpoint, full: true, actor: { reason } });
    await predict(millrace, (await flightsOf('live/2013-07.csv')).slice(0, 2 * windowRecords));
    await log.waitFor('the alert', ({ type }) => type === 'millrace.monitoring.alert.raised.v1');
    await client.deployment.rollback({ endpoint, actor: { reason } });
    // What is refused is traced too.
    await expect(client.registry.getModel({ name: 'nobody' })).rejects.toThrow('nobody');
    expect((await invoke(millrace, [{ distance: 'far' }])).status).toBe(400);
  });

  test('one query leads from a prediction to run, data, commit and approver', async () => {
    const { client } = millrace;
    const id = predictionIds[3] ?? '';
    const origin = await eventually('the prediction', () => client.predictionOrigin(id));
    const commit = (await git('rev-parse', 'HEAD')).stdout.trim();
    expect(origin).toMatchObject({
      prediction: { id, endpoint, revision: 1, traceId: expect.stringMatching(/^[0-9a-f]{32}$/) },
      revision: { number: 1, model: 'flights', modelVersion: 1, pipelineRunId: first.id },
      modelVersion: { digest: expect.stringMatching(/^sha256:/), verdict: 'VALIDATED' },
      report: { verdict: 'VERDICT_VALIDATED' },
      pipelineRun: { id: first.id, traceId: first.traceId },
      trainingRun: { codeCommit: commit, codeDirtyDigest: '', pipelineRunId: first.id },
    });
    expect(origin.modelVersion?.approvals).toMatchObject([
      { approved: true, actor: { name: 'user:ada', reason }, at: expect.any(String) },
    ]);
    expect(origin.report?.gates.every(({ passed }) => passed)).toBe(true);
    expect(origin.datasetVersion?.id).toBe(origin.trainingRun?.datasetVersionId);
    expect(origin.datasetVersion?.sources).toHaveLength(3);
    const shown = await millraceCommand(['prediction', id], { dataDir: millrace.dataDir, cwd: root });
    expect(shown.exitCode).toBe(0);
    for (const text of [id, commit, 'user:ada', first.id, first.traceId, origin.modelVersion?.digest ?? '']) {
      expect(shown.stdout).toContain(text);
    }
    console.log(shown.stdout);
  });

  test('a prediction that is not kept is told with the time it was made at', async () => {
    const gone = 'pred_01arz3ndektsv4rrffq69g5fav';
    const shown = await millraceCommand(['prediction', gone], { dataDir: millrace.dataDir, cwd: root });
    expect(shown.exitCode).toBe(3);
    expect(shown.stderr).toMatch(/of 2016-07-30T.* is not kept, or not any more/);
    await expect(millrace.client.predictionOrigin('flights/1')).rejects.toThrow('id');
  });

  test('every span follows the conventions and the published schema', async () => {
    const spans = await eventually('the spans of the rollback', () => {
      const found = collected.all();
      const names = new Set(found.map(({ name }) => name));
      for (const name of [
        'raise alert',
        'close window',
        `predict ${endpoint}`,
        'POST /endpoints/:endpoint/*',
      ]) {
        expect(names).toContain(name);
      }
      expect([...names].some((name) => name.endsWith('DeploymentService/Rollback'))).toBe(true);
      return found;
    });
    const problems = new Map<string, number>();
    for (const span of spans) {
      for (const problem of spanProblems(span)) {
        const what = `${span.service} ${span.kind} ${span.name}: ${problem}`;
        problems.set(what, (problems.get(what) ?? 0) + 1);
      }
    }
    expect(Object.fromEntries(problems)).toEqual({});
    const kinds = new Set(spans.map((span) => conventionOf(span)?.id ?? 'our own'));
    expect([...kinds].sort()).toEqual([
      'HTTP client',
      'HTTP server',
      'database client',
      'gRPC client',
      'gRPC server',
      'messaging consumer',
      'messaging producer',
      'our own',
    ]);
    console.log(`${spans.length} spans of ${servicesOf(spans).length} services follow the schema`);
  });

  test('no attribute holds what a person wrote or what was predicted', () => {
    const told = JSON.stringify(collected.all().map(({ attributes }) => attributes));
    for (const secret of [reason, 'ada@example.org', 'arr_delay', 'dep_delay', 'far']) {
      expect(told).not.toContain(secret);
    }
  });

  test('mistakes of the caller are told by the status and fail no server', () => {
    const refused = collected.all().filter(({ attributes }) => attributes['rpc.status_code'] === 'NOT_FOUND');
    const byKind = (kind: string) => refused.filter((span) => span.kind === kind);
    expect(byKind('server').length).toBeGreaterThan(0);
    for (const { error } of byKind('server')) expect(error).toBeUndefined();
    for (const { attributes } of byKind('client')) expect(attributes['error.type']).toBe('NOT_FOUND');
    const badRequest = collected
      .all()
      .filter(({ attributes }) => attributes['http.response.status_code'] === 400);
    expect(badRequest.map(({ kind, error }) => [kind, error !== undefined]).sort()).toEqual([
      ['client', true],
      ['server', false],
      ['server', false],
    ]);
  });

  test('the trace of the run is in Jaeger, whole: each span, parent, link and attribute', async () => {
    const spans = await checkInJaeger(jaeger, first.traceId, collected, checkRunTrace);
    expect(await jaeger.services()).toEqual(expect.arrayContaining([...servicesOfARun]));
    console.log(`trace ${first.traceId}: ${spans.length} spans in Jaeger as published`);
  });

  test("the alert stands in the trace of the run, and links to the window in the predictions' trace", async () => {
    const run = collected.all().find(({ name }) => name === 'raise alert');
    const [link] = run?.links ?? [];
    const cause = collected.all().find(({ spanId }) => spanId === link?.spanId);
    expect(cause?.name).toBe('close window');
    expect(cause?.traceId).not.toBe(run?.traceId);
    await checkInJaeger(jaeger, cause?.traceId ?? '', collected, (spans) =>
      expect(servicesOf(spans)).toEqual(['deployment', 'gateway', 'monitoring']),
    );
  });

  test('the trace of a prediction is in Jaeger and links to the deployment in the trace of the run', async () => {
    const isPrediction = ({ attributes }: SpanRecord) =>
      attributes['millrace.prediction.id'] === predictionIds[0];
    const span = collected.all().find(isPrediction);
    const spans = await checkInJaeger(jaeger, span?.traceId ?? '', collected);
    expect(spans.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining([
        'server POST /endpoints/:endpoint/*',
        'client POST',
        'server POST /endpoints/:endpoint/invocations',
        `internal predict ${endpoint}`,
      ]),
    );
    const [link] = span?.links ?? [];
    expect(link?.traceId).toBe(first.traceId);
    expect(collected.ofTrace(first.traceId).find(({ spanId }) => spanId === link?.spanId)?.name).toBe(
      'step deploy',
    );
  });

  test('`millrace trace` draws it', async () => {
    const { stdout, exitCode } = await millraceCommand(['trace', first.id, '--min', '5'], {
      dataDir: millrace.dataDir,
      cwd: root,
    });
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^gateway POST \/api\/v1\/runs /);
    for (const text of ['pipeline pipeline run', 'training step train', 'deployment step deploy', 'link']) {
      expect(stdout).toContain(text);
    }
    console.log(stdout.split('\n').at(-2));
  });
});

describe('the trace of a run across a process per service', () => {
  let millrace: TestInstallation;
  let root: string;
  beforeAll(async () => {
    root = await writeProject({
      'recipe.yaml': quickRecipe('separated', 7),
      'data/flights.csv': await someFlights(2_000),
    });
    millrace = await TestInstallation.start({
      separate: true,
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl },
    });
  });
  afterAll(async () => {
    await millrace?.stop();
    await rm(root, { recursive: true, force: true });
  });

  test('is in Jaeger, whole', async () => {
    const collected = await CollectedSpans.open((await millrace.state()).natsUrl);
    const { traceId } = await runToEnd(millrace, root);
    const spans = await checkInJaeger(jaeger, traceId, collected, checkRunTrace);
    await collected.stop();
    console.log(`trace ${traceId}: ${spans.length} spans of ${servicesOf(spans).length} processes in Jaeger`);
  });

  test('a caller that does not record its trace has none of it recorded, in any process', async () => {
    const collected = await CollectedSpans.open((await millrace.state()).natsUrl);
    const call = async (flags: '00' | '01') => {
      const traceparent = newTraceparent(flags);
      const answer = await fetch(`${millrace.url}/api/v1/models`, { headers: { traceparent } });
      expect(answer.status).toBe(200);
      return traceparent.split('-')[1] ?? '';
    };
    const silent = await call('00');
    const told = await call('01');
    await checkInJaeger(jaeger, told, collected, (spans) => {
      const first = spans.find(({ kind, service }) => kind === 'server' && service === 'gateway');
      expect(first?.parentSpanId).toBe(callerSpan);
      expect(servicesOf(spans)).toEqual(['gateway', 'registry']);
    });
    expect(collected.ofTrace(silent)).toEqual([]);
    expect(await jaeger.trace(silent)).toBeUndefined();
    await collected.stop();
  });
});
