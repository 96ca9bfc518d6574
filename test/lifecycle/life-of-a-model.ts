import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { activeContent, nestingFaults } from '@millrace/cards/testing';
import { readLocalProject, uploadProject } from '@millrace/cli';
import { readContracts, unmetEvents } from '@millrace/consumer-contracts';
import type { Run } from '@millrace/contracts/pipeline';
import { createRandom } from '@millrace/random';
import { serviceNames } from '@millrace/service-kit';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { auditRecords } from '../support/audit.ts';
import { flightsDirectory } from '../support/flights-project.ts';
import { type FlightFeatures, flightsOf } from '../support/flights-traffic.ts';
import { TestInstallation } from '../support/installation.ts';
import { followToEnd, followToPause, modelVersionOf, statesOf, submit } from '../support/runs.ts';
import { publishPoison, republishEvents, untilHandled } from '../support/stream.ts';
import { eventually, until } from '../support/wait.ts';

const seed = Number(process.env.MILLRACE_TEST_SEED ?? 20130701);
const endpoint = 'flights';
const model = 'flights';
/** Records of a monitoring window in the recipe; rows of one request. */
const windowRecords = 400;
const batch = 20;

const run = promisify(execFile);

/** Where the services of a test keep their documents. */
export interface StoreOfTest {
  /** Variables that lead there. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/**
 * The tests of one model's whole life, from the data file to the rollback, on a store of any kind; by default on SQLite
 * files of the installation's own. They are chapters: each begins where the one before ended.
 */
export const lifeOfAModel = (openStore?: () => Promise<StoreOfTest>): void => {
  let millrace: TestInstallation;
  let root: string;
  let commit: string;
  let first: Run;
  let second: Run;
  /** Rows that were predicted, and requests that were answered with them. */
  let predicted = 0;
  let answered = 0;

  let store: StoreOfTest | undefined;
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'millrace-flights-'));
    for (const part of ['recipe.yaml', 'profiles', 'data']) {
      await cp(join(flightsDirectory, part), join(root, part), { recursive: true });
    }
    const git = async (...args: string[]) => (await run('git', ['-C', root, ...args])).stdout.trim();
    await git('init', '-q');
    await git('add', '.');
    await git('-c', 'user.name=ada', '-c', 'user.email=ada@example.org', 'commit', '-q', '-m', 'flights');
    commit = await git('rev-parse', 'HEAD');
    store = await openStore?.();
    millrace = await TestInstallation.start({ separate: false, env: store?.env ?? {} });
  });

  afterAll(async () => {
    await millrace?.stop();
    await store?.stop();
    await rm(root, { recursive: true, force: true });
  });

  const endpointNow = async () => {
    const { endpoint: found, revisions } = await millrace.client.deployment.getEndpoint({ name: endpoint });
    if (found === undefined) throw new Error('no endpoint');
    return { ...found, revisions };
  };

  const production = async (): Promise<number> => {
    const { modelVersion } = await millrace.client.registry.resolveAlias({ model, alias: 'production' });
    return modelVersion?.version ?? 0;
  };

  const aliasMoves = async () => {
    const { moves } = await millrace.client.registry.listAliasHistory({ model, alias: 'production' });
    return moves.map(({ fromVersion, toVersion }) => `${fromVersion}→${toVersion}`).reverse();
  };

  /** Sends rows in batches and answers which revision answered each. */
  const predict = async (rows: readonly FlightFeatures[]): Promise<readonly number[]> => {
    const revisions: number[] = [];
    for (let i = 0; i < rows.length; i += batch) {
      const some = rows.slice(i, i + batch);
      const answer = (await millrace.client.invoke(endpoint, { dataframe_records: some })) as {
        predictions: number[];
        prediction_ids: string[];
        revision: number;
      };
      expect(answer.predictions.every(Number.isFinite)).toBe(true);
      expect(new Set(answer.prediction_ids).size).toBe(some.length);
      predicted += some.length;
      answered += 1;
      revisions.push(answer.revision);
    }
    return revisions;
  };

  const post = async (path: string, body: unknown, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await fetch(`${millrace.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: answer.status, headers: answer.headers, body: (await answer.json()) as unknown };
  };

  /** One row in the form of the Open Inference Protocol. */
  const tensorsOf = (row: FlightFeatures) => ({
    inputs: Object.entries(row).map(([name, value]) => ({
      name,
      shape: [1],
      datatype: typeof value === 'number' ? 'FP64' : 'BYTES',
      data: [value],
    })),
  });

  test('a first run waits for approval, and is deployed and watched once it has it', async () => {
    const { id } = await submit(millrace.client, { root, profile: 'baseline' });
    first = await followToPause(millrace, id);
    expect(first.state).toBe('RUN_STATE_WAITING');
    expect(modelVersionOf(first)).toEqual({ model, version: 1 });
    await expect(endpointNow()).rejects.toThrow('flights');
    await millrace.client.registry.approveModelVersion({ model, version: 1, actor: { reason: 'sound' } });
    first = await followToEnd(millrace, id);
    expect(statesOf(first)).toEqual(first.steps.map(({ name }) => `${name} SUCCEEDED`));
    expect((await endpointNow()).traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
    await eventually('the alias', async () => expect(await production()).toBe(1));
    const { monitor } = await millrace.client.monitoring.getMonitor({ endpoint });
    expect(monitor).toMatchObject({ revision: 1, modelVersion: 1, windowRecords });
  });

  test('every step shows what it did on a card that is one page and runs nothing', async () => {
    for (const { name, outputs } of first.steps) {
      const card = outputs.find(({ kind }) => kind === 'card');
      expect(card, name).toMatchObject({ name: 'card', mediaType: 'text/html' });
      const bytes = await Array.fromAsync(await millrace.client.downloadBlob(card?.digest ?? ''));
      const page = Buffer.concat(bytes).toString('utf8');
      expect(nestingFaults(page), name).toEqual([]);
      expect(activeContent(page), name).toEqual([]);
      expect(page, name).toContain(`millrace inspect ${first.id}`);
    }
  });

  test('an equal second run takes every step from the cache', async () => {
    const { client } = millrace;
    const recipe = { root, profile: 'baseline' };
    const { id } = await submit(client, recipe);
    const again = await followToEnd(millrace, id);
    // What compares with the champion or acts on the live endpoint is looked at anew, and changes nothing.
    expect(statesOf(again)).toEqual([
      'ingest CACHED',
      'split CACHED',
      'transform CACHED',
      'train CACHED',
      'evaluate SUCCEEDED',
      'register SUCCEEDED',
      'deploy SUCCEEDED',
      'monitor SUCCEEDED',
    ]);
    expect((await endpointNow()).revisions.map(({ number }) => number)).toEqual([1]);
    const { modelVersions } = await client.registry.listModelVersions({ model });
    expect(modelVersions.map(({ version }) => version)).toEqual([1]);
  });

  test('a challenger gets a part of the traffic first', async () => {
    const { id } = await submit(millrace.client, { root, profile: 'boosted' });
    second = await followToPause(millrace, id);
    expect(modelVersionOf(second)).toEqual({ model, version: 2 });
    await millrace.client.registry.approveModelVersion({ model, version: 2 });
    second = await followToEnd(millrace, id);
    expect(second.state).toBe('RUN_STATE_SUCCEEDED');
    const { traffic, rollout, stableRevision } = await endpointNow();
    expect(stableRevision).toBe(1);
    expect(traffic).toEqual([
      { revision: 1, percent: 80, shadow: false },
      { revision: 2, percent: 20, shadow: false },
    ]);
    expect(rollout).toMatchObject({ candidateRevision: 2, state: 'ROLLOUT_STATE_IN_PROGRESS' });
    expect(await production()).toBe(1);
  });

  test('both protocols predict alike, both revisions answer, and a unit stays with one of them', async () => {
    const winter = await flightsOf('live/2013-winter.csv');
    const answeredBy = new Set(await predict(winter.slice(0, windowRecords)));
    await until('both revisions to have answered', async () => {
      for (const revision of await predict(winter.slice(0, batch))) answeredBy.add(revision);
      return answeredBy.size === 2 ? true : undefined;
    });
    const [row = {}] = winter;
    const unit = { 'millrace-unit': 'passenger-7' };
    const answers = [];
    for (let i = 0; i < 10; i += 1) {
      answers.push(await post(`/endpoints/${endpoint}/invocations`, { dataframe_records: [row] }, unit));
    }
    expect(new Set(answers.map(({ headers }) => headers.get('millrace-revision'))).size).toBe(1);
    const infer = await post(`/v2/models/${endpoint}/infer`, { id: 'one', ...tensorsOf(row) }, unit);
    expect(infer.status).toBe(200);
    expect(infer.body).toMatchObject({
      id: 'one',
      model_name: endpoint,
      model_version: answers[0]?.headers.get('millrace-revision'),
      outputs: [{ name: 'arr_delay', shape: [1], datatype: 'FP64' }],
    });
    predicted += answers.length + 1;
    answered += answers.length + 1;
    const inferred = (infer.body as { outputs: { data: number[] }[] }).outputs[0]?.data;
    expect(answers[0]?.body).toMatchObject({ predictions: inferred });
  });

  test('an input that the signature does not allow is refused with its place', async () => {
    const { status, body } = await post(`/endpoints/${endpoint}/invocations`, {
      dataframe_records: [{ distance: 'far' }],
    });
    expect(status).toBe(400);
    expect((body as { error: { message: string } }).error.message).toContain('dataframe_records[0].distance');
  });

  test('the promoted challenger takes all the traffic, and the alias follows', async () => {
    await millrace.client.deployment.promote({ endpoint, full: true, actor: { reason: 'it answered well' } });
    expect((await endpointNow()).traffic).toEqual([{ revision: 2, percent: 100, shadow: false }]);
    await eventually('the alias', async () => expect(await aliasMoves()).toEqual(['0→1', '1→2']));
  });

  test('July drifts: it is found, an alert is raised, and a new model is asked for', async () => {
    const { client, log } = millrace;
    const local = await readLocalProject(root, 'boosted');
    const snapshot = await uploadProject(client, local, () => {});
    await client.pipeline.pushProject({ snapshot, defaultProfile: 'boosted' });
    const july = await flightsOf('live/2013-07.csv');
    const after = log.events.length;
    // Two windows, because the first begins with winter's rows.
    expect(new Set(await predict(july.slice(0, 2 * windowRecords)))).toEqual(new Set([2]));
    const drift = await log.waitFor(
      'the drift',
      ({ type }) => type === 'millrace.monitoring.drift.detected.v1',
    );
    const alert = await log.waitFor(
      'the alert',
      ({ type }) => type === 'millrace.monitoring.alert.raised.v1',
    );
    expect(log.events.indexOf(drift)).toBeGreaterThanOrEqual(after);
    expect(alert.data).toMatchObject({
      alert: { endpoint, rule: 'features-drift', severity: 'SEVERITY_CRITICAL' },
    });
    const { alerts } = await client.monitoring.listAlerts({ endpoint, onlyOpen: true });
    expect(alerts.flatMap(({ evidence }) => evidence.map(({ feature }) => feature))).toContain('temp');
    const requested = await log.waitFor(
      'the request to retrain',
      ({ type }) => type === 'millrace.monitoring.retraining.requested.v1',
    );
    const retraining = await until('the retraining run', async () => {
      const { runs } = await client.pipeline.listRuns({ page: { limit: 20 } });
      return runs.find(({ causedBy }) => causedBy !== '');
    });
    expect(retraining.causedBy).toContain(requested.id);
    // Nothing changed since the second run but the champion, so it waits for nobody.
    expect((await followToPause(millrace, retraining.id)).state).not.toBe('RUN_STATE_FAILED');
  });

  test('a rollback brings back what served before, and its alias', async () => {
    await millrace.client.deployment.rollback({ endpoint, actor: { reason: 'July is not what it learnt' } });
    const { traffic, revisions } = await endpointNow();
    expect(traffic).toEqual([{ revision: 1, percent: 100, shadow: false }]);
    expect(revisions.find(({ number }) => number === 2)?.state).toBe('REVISION_STATE_ROLLED_BACK');
    await eventually('the alias', async () => expect(await aliasMoves()).toEqual(['0→1', '1→2', '2→1']));
    // The windows of what was taken out are closed, and hold every row that was predicted until then.
    await eventually('the windows', async () => {
      const { windows } = await millrace.client.monitoring.listWindows({ endpoint });
      expect(windows.reduce((sum, { records }) => sum + records, 0)).toBe(predicted);
    });
    const july = await flightsOf('live/2013-07.csv');
    expect(await predict(july.slice(0, batch))).toEqual([1]);
  });

  test('lineage leads from the endpoint to the commit and the data, and back', async () => {
    const { registry } = millrace.client;
    const node = `endpoint_revision:${endpoint}/2`;
    const upstream = await registry.getLineage({ node, direction: 'LINEAGE_DIRECTION_UPSTREAM' });
    const causes = upstream.nodes.map(({ id }) => id);
    const dataset = causes.find((id) => id.startsWith('dataset_version:')) ?? '';
    expect(causes).toEqual(
      expect.arrayContaining([`commit:${commit}`, `pipeline_run:${second.id}`, `model_version:${model}/2`]),
    );
    expect(causes.filter((id) => id.startsWith('source:'))).toHaveLength(3);
    for (const from of [dataset, `commit:${commit}`]) {
      const downstream = await registry.getLineage({ node: from, direction: 'LINEAGE_DIRECTION_DOWNSTREAM' });
      const effects = downstream.nodes.map(({ id }) => id);
      expect(effects).toContain(node);
      expect(effects.some((id) => id.startsWith('alert:'))).toBe(true);
    }
  });

  test('one trace of the run reaches through every service that takes part', async () => {
    await eventually('the spans of every service', async () => {
      const { traceId, spans } = await millrace.client.runTrace(first.id);
      expect(traceId).toBe(first.traceId);
      expect([...new Set(spans.map(({ service }) => service))]).toEqual(
        expect.arrayContaining(serviceNames.filter((name) => name !== 'bridge')),
      );
    });
  });

  test('the audit log is intact and tells who approved, promoted and rolled back', async () => {
    const { registry } = millrace.client;
    await eventually('the audit log', async () => {
      const records = await auditRecords(millrace.client);
      const told = records.map(({ action, actor }) => `${action} by ${actor?.name}`);
      for (const action of ['model_version.approved', 'deployment.promoted', 'deployment.rolled_back']) {
        expect(told).toContain(`${action} by user:ada`);
      }
    });
    expect(await registry.verifyAudit({})).toMatchObject({ intact: true });
  });

  test('everything published so far is in the catalogue of events and fits its schema', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    formats.default(ajv);
    const schemas = join(import.meta.dirname, '../../docs/events/schemas');
    const validators = new Map<string, ReturnType<typeof ajv.compile>>();
    const seen = new Map<string, number>();
    for (const { type, data } of millrace.log.events) {
      const validate =
        validators.get(type) ??
        ajv.compile(JSON.parse(readFileSync(join(schemas, `${type}.json`), 'utf8')) as object);
      validators.set(type, validate);
      validate(data);
      expect(validate.errors, type).toBeNull();
      seen.set(type, (seen.get(type) ?? 0) + 1);
    }
    expect(seen.size).toBeGreaterThan(20);
    console.log(`${millrace.log.events.length} events of ${seen.size} types fit the catalogue`);
  });

  test('whoever hears events says in a contract what it reads of them, and finds it there', async () => {
    const contracts = readContracts();
    const said = contracts.flatMap(({ consumer, events }) =>
      events.map(({ type }) => `${consumer} hears ${type.split('.').slice(1, 3).join('.')}`),
    );
    const { jsm } = millrace.log.bus.internals;
    const heard: string[] = [];
    for await (const { name, config } of jsm.consumers.list('EVENTS')) {
      const consumer = name.split('-')[0] ?? '';
      for (const subject of config.filter_subjects ?? [config.filter_subject ?? '']) {
        const [, , provider, entity] = subject.split('.');
        if (serviceNames.some((own) => own === consumer) && provider !== consumer && entity !== '>') {
          heard.push(`${consumer} hears ${provider}.${entity}`);
        }
      }
    }
    expect(heard.length).toBeGreaterThan(10);
    // The bridge hands every event on without reading it.
    expect(heard.filter((one) => !one.startsWith('bridge') && !said.includes(one))).toEqual([]);
    for (const contract of contracts) {
      expect(
        unmetEvents(contract, millrace.log.events),
        `${contract.provider} breaks ${contract.consumer}`,
      ).toEqual([]);
    }
  });

  /** What a person or another system sees of the platform's state. */
  const visibleState = async () => {
    const { client } = millrace;
    const page = { limit: 1_000 };
    const lineage = (node: string) =>
      client.registry.getLineage({ node, direction: 'LINEAGE_DIRECTION_BOTH' });
    return {
      runs: (await client.pipeline.listRuns({ page })).runs,
      triggers: (await client.pipeline.listTriggers({ page })).triggers,
      datasets: (await client.ingest.listDatasets({ page })).datasets,
      trainingRuns: (await client.training.searchRuns({ experimentName: '', includeNested: true, page }))
        .runs,
      reports: (await client.evaluation.listReports({ page })).reports,
      versions: (await client.registry.listModelVersions({ model, page })).modelVersions,
      aliases: (await client.registry.listAliasHistory({ model, page })).moves,
      audit: await client.registry.verifyAudit({}),
      endpoint: await endpointNow(),
      monitor: (await client.monitoring.getMonitor({ endpoint })).monitor,
      windows: (await client.monitoring.listWindows({ endpoint, page })).windows,
      alerts: (await client.monitoring.listAlerts({ endpoint, page })).alerts,
      lineage: await lineage(`model_version:${model}/1`),
      deadLetters: await client.deadLetters(),
    };
  };

  test.each([
    ['with the same message ids', { anew: false }],
    ['as new messages', { anew: true }],
  ])('every event once more, %s and out of order, changes nothing', async (_, options) => {
    const { bus } = millrace.log;
    await untilHandled(bus);
    // Requests are counted in memory and written down now and then.
    await eventually('the counts of requests', async () => {
      const { revisions } = await endpointNow();
      expect(revisions.reduce((sum, { servedRequests }) => sum + servedRequests, 0)).toBe(answered);
    });
    const before = await visibleState();
    const random = createRandom(seed);
    const { published, added } = await republishEvents(bus, (messages) => random.shuffle(messages), options);
    expect(added).toBe(options.anew ? published : 0);
    await untilHandled(bus);
    expect(await visibleState()).toEqual(before);
    console.log(
      `seed ${seed}: ${published} events again, ${added} of them new to the broker; nothing changed`,
    );
  });

  test('a poison message ends among the dead letters, and the rest flows on', async () => {
    const { client, log } = millrace;
    const subject = 'millrace.evt.registry.model_version.approved.v1';
    await publishPoison(log.bus, subject, 'poison');
    const letters = await until('the dead letters', async () => {
      const found = await client.deadLetters();
      return found.some(({ consumer }) => consumer === 'registry-audit') ? found : undefined;
    });
    expect(letters.every((letter) => letter.subject === subject && letter.reason !== '')).toBe(true);
    expect(letters.map(({ headers }) => headers['ce-id'])).toContain('poison-poison');
    await client.registry.setAlias({
      model,
      alias: 'shadowed',
      version: 2,
      actor: { reason: 'after the poison' },
    });
    await eventually('the change in the audit log', async () => {
      const records = await auditRecords(client);
      expect(records.map(({ actor }) => actor?.reason)).toContain('after the poison');
    });
    expect(await client.registry.verifyAudit({})).toMatchObject({ intact: true });
  });
};
