import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BlobStore, digestOf, openBlobStore } from '@millrace/blobs';
import type { GarbageCollection, Run } from '@millrace/contracts/pipeline';
import { LineageDirection } from '@millrace/contracts/registry';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type S3Server, s3ServerTimeoutMs, startS3Server } from '../libs/blobs/test/s3-server.ts';
import { submitQuickRun } from './faults/quick-run.ts';
import { retried } from './support/calls.ts';
import { quickRecipe, someFlights, writeProject } from './support/flights-project.ts';
import { TestInstallation } from './support/installation.ts';
import { followToEnd, followToPause, modelVersionOf, statesOf, submit } from './support/runs.ts';
import { until } from './support/wait.ts';

/** Everything that has ended is old, so that only what refers to it keeps it. */
const settings = {
  MILLRACE_GC_GRACE_MS: '1000',
  MILLRACE_GC_RECENT_EVENTS_MS: '0',
  MILLRACE_KEEP_RUNS_DAYS: '0.00001',
  MILLRACE_KEEP_FAILED_RUNS_DAYS: '0.00001',
  MILLRACE_KEEP_STEPS_DAYS: '0.00001',
};

const bucket = 'lifecycle';
let directory: string;
let server: S3Server;
let millrace: TestInstallation;
let blobs: BlobStore;
let served: Run;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-s3-'));
  server = await startS3Server(directory);
  const url = await server.locate(bucket);
  millrace = await TestInstallation.start({ separate: true, env: { ...settings, MILLRACE_BLOBS_URL: url } });
  blobs = await openBlobStore({ url, dataDir: directory });
}, s3ServerTimeoutMs);

afterAll(async () => {
  await blobs?.close();
  await millrace?.stop();
  await server?.kill();
  for (const name of [...Object.keys(settings), 'MILLRACE_BLOBS_URL']) delete process.env[name];
  await rm(directory, { recursive: true, force: true });
});

/** A run whose model fails its gate, so that nothing comes to depend on it. */
const failedRun = async (seed: number): Promise<Run> => {
  const recipe = quickRecipe('rejected', seed).replace('threshold: 100', 'threshold: 0.001');
  const root = await writeProject({
    'recipe.yaml': recipe,
    'data/flights.csv': await someFlights(300 + seed),
  });
  const { id } = await submit(millrace.client, { root });
  await rm(root, { recursive: true, force: true });
  const run = await followToEnd(millrace, id);
  expect(run.state).toBe('RUN_STATE_FAILED');
  return run;
};

const ended = (id: string): Promise<GarbageCollection> =>
  until('the end of the collection', async () => {
    const { collection } = await retried('the collection', () =>
      millrace.client.pipeline.getGarbageCollection({ id }),
    );
    return collection?.state === 'GARBAGE_COLLECTION_STATE_RUNNING' ? undefined : collection;
  });

const collect = async (dryRun = false): Promise<GarbageCollection> => {
  const { collection } = await millrace.client.pipeline.startGarbageCollection({ dryRun });
  const found = await ended(collection?.id ?? '');
  expect(found.error).toBe('');
  return found;
};

/** Collects twice, with the grace between: what was put aside first is removed then. */
const collectForGood = async (): Promise<GarbageCollection> => {
  await collect();
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  return collect();
};

const digestsOf = (run: Run): readonly string[] =>
  run.steps.flatMap(({ outputs }) => outputs).flatMap(({ digest }) => digest || []);

const storedDigests = async (): Promise<ReadonlySet<string>> => {
  const { items } = await blobs.list({ limit: 1_000 });
  return new Set(items.map(({ digest }) => digest));
};

const expectReadable = async (digests: readonly string[]): Promise<void> => {
  for (const digest of digests) await blobs.read(digest as `sha256:${string}`, 1e9);
};

test('a recipe runs from its upload to a serving endpoint with every blob in S3', async () => {
  const id = await submitQuickRun(millrace, 'kept', 1);
  const paused = await followToPause(millrace, id, 120_000);
  await retried('the approval', () =>
    millrace.client.registry.approveModelVersion({ ...modelVersionOf(paused) }),
  );
  served = await followToEnd(millrace, id, 120_000);
  expect(served.state, statesOf(served).join(', ')).toBe('RUN_STATE_SUCCEEDED');

  const objects = await readdir(server.fileOf(bucket, 'sha256'));
  const expected = digestsOf(served).map((digest) => digest.slice('sha256:'.length));
  expect(expected.length).toBeGreaterThan(0);
  expect(objects).toEqual(expect.arrayContaining(expected));
  expect(await readdir(millrace.dataDir)).not.toContain('blobs');
});

test('garbage goes, and what a registered version needs stays', { timeout: 240_000 }, async () => {
  const { client } = millrace;
  const rejected = await failedRun(2);
  const held = await failedRun(3);
  // The newest run of a project stays with its project.
  const newest = await failedRun(4);
  const { digest: orphan } = await blobs.put(new TextEncoder().encode('uploaded, and never used'));
  const before = await storedDigests();
  await new Promise((resolve) => setTimeout(resolve, 2_000));
  await client.pipeline.placeHold({ subject: held.id, actor: { reason: 'an audit asks for it' } });

  const plan = await collect(true);
  expect(await storedDigests()).toEqual(before);
  expect((await client.pipeline.getRun({ id: rejected.id })).run?.id).toBe(rejected.id);
  const planned = plan.garbage.map(({ name }) => name);
  expect(planned).toContain(`pipeline/runs/${rejected.id}`);
  expect(planned).toContain(orphan);
  expect(planned).not.toContain(`pipeline/runs/${held.id}`);
  expect(planned).not.toContain(`pipeline/runs/${newest.id}`);
  expect(planned).not.toContain(`pipeline/runs/${served.id}`);

  const first = await collect();
  expect(first.garbage.map(({ name }) => name).sort()).toEqual([...planned].sort());
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const second = await collect();
  expect(second.purged?.blobs).toBe(first.retired?.blobs);

  await expect(client.pipeline.getRun({ id: rejected.id })).rejects.toMatchObject({ code: 'not_found' });
  expect(await blobs.has(orphan)).toBeUndefined();
  const kept = [served, held, newest];
  for (const { id } of kept) expect((await client.pipeline.getRun({ id })).run?.id).toBe(id);
  await expectReadable(kept.flatMap(digestsOf));
  expect(second.missingTotal, JSON.stringify(second.missing)).toBe(0);
  const onlyOfRejected = digestsOf(rejected).filter((digest) => !kept.flatMap(digestsOf).includes(digest));
  expect(onlyOfRejected.length).toBeGreaterThan(0);
  for (const digest of onlyOfRejected) expect(await blobs.has(digest as `sha256:${string}`)).toBeUndefined();

  const { model, version } = modelVersionOf(served);
  const { nodes } = await client.registry.getLineage({
    node: `model_version:${model}/${version}`,
    direction: LineageDirection.LINEAGE_DIRECTION_UPSTREAM,
  });
  expect(nodes.map(({ id }) => id)).toContain(`pipeline_run:${served.id}`);

  await client.pipeline.releaseHold({ subject: held.id });
  await collectForGood();
  await expect(client.pipeline.getRun({ id: held.id })).rejects.toMatchObject({ code: 'not_found' });
  const { records } = await client.registry.listAuditRecords({ page: { limit: 1_000 } });
  const actions = records.map(({ action }) => action);
  expect(actions).toEqual(
    expect.arrayContaining(['hold.placed', 'hold.released', 'garbage_collection.finished']),
  );
});

test('a collection that is killed is gone on with', { timeout: 240_000 }, async () => {
  const { client } = millrace;
  for (let count = 0; count < 300; count += 1) {
    await blobs.put(new TextEncoder().encode(`garbage ${count}`));
  }
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  const { pipeline: pid } = await millrace.pids();
  const { collection } = await client.pipeline.startGarbageCollection({ dryRun: false });
  await until('the first blob aside', async () =>
    (await blobs.listRetired({ limit: 1 })).items.length > 0 ? true : undefined,
  );
  process.kill(pid ?? 0, 'SIGKILL');
  const found = await ended(collection?.id ?? '');
  expect(found.error).toBe('');
  expect(found.resumed).toBeGreaterThan(0);
  await expectReadable(digestsOf(served));
  await collectForGood();
  expect(await blobs.has(digestOf('garbage 1'))).toBeUndefined();
  await expectReadable(digestsOf(served));
});
