import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { parseDigest } from '@millrace/blobs';
import type { DatasetProfile } from '@millrace/tabular';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type IngestFixture,
  outputOf,
  type StepOptions,
  type StepRun,
  startIngest,
} from './ingest-fixture.ts';
import { buildEnvironment, buildTimeoutMs, csv, pythonRecipe, steps } from './python-project.ts';

let ingest: IngestFixture;
beforeAll(async () => {
  await buildEnvironment();
  ingest = await startIngest();
}, buildTimeoutMs);
afterAll(() => ingest.stop());

const read = (
  config: Record<string, unknown>,
  files: NonNullable<StepOptions['files']>,
  more: Partial<StepOptions> = {},
) =>
  ingest.run('ingest', {
    config: { using: 'csv', loader_method: 'load', dataset: 'd', ...config },
    files: { ...steps, ...files },
    recipe: pythonRecipe,
    ...more,
  });

const columnOf = async (digest: string, column: string) =>
  (await ingest.table(digest)).columns.find(({ name }) => name === column)?.values;

const jsonOf = async (digest: string) =>
  JSON.parse(new TextDecoder().decode(await ingest.blobs.read(parseDigest(digest), 1_000_000)));

const failureOf = (run: StepRun) => run.failure?.error;

describe('ingest of a Python recipe', () => {
  it('reads a file with the loader of the project, and records the environment', async () => {
    const run = await read({ location: 'data/a.csv' }, { 'data/a.csv': csv(5) });
    const dataset = outputOf(run, 'dataset');
    expect(await columnOf(dataset.digest, 'source')).toEqual(Array(5).fill('a.csv'));
    expect(dataset.attributes).toMatchObject({ rows: '5', columns: '3' });
    const environment = outputOf(run, 'environment');
    expect(environment).toMatchObject({ kind: 'environment', id: expect.stringMatching(/^sha256:/) });
    expect(await jsonOf(environment.digest)).toMatchObject({
      lock: expect.stringMatching(/^pandas==/m),
      lockDigest: environment.id,
      packages: { pandas: expect.any(String) },
    });
    expect(run.success?.summary).toMatchObject({ sources: [{ location: 'data/a.csv' }] });
  });

  it('reads the files of a directory in the order of their names, with the labels of their rows', async () => {
    const files = {
      'data/b.csv': csv(2, 10),
      'data/a.csv': csv(3),
      'data/notes.txt': 'x',
      'data/deep/c.csv': csv(9),
    };
    const run = await read({ location: './data/', dataset: 'labels' }, files);
    const dataset = outputOf(run, 'dataset');
    expect(await columnOf(dataset.digest, 'id')).toEqual([0, 1, 2, 10, 11]);
    expect(await columnOf(dataset.digest, '__index_level_0__')).toEqual([0, 1, 2, 0, 1]);
    const { datasetVersion } = await ingest.datasets.getDatasetVersion({ id: dataset.id });
    expect(datasetVersion?.columns.map(({ name, type }) => `${name}: ${type}`)).toEqual([
      'id: integer',
      'y: number',
      'source: string',
    ]);
    const profile = (await jsonOf(outputOf(run, 'profile').digest)) as DatasetProfile;
    expect(profile.columns.map(({ name }) => name)).toEqual(['id', 'y', 'source']);
  });

  it('gives the same dataset and environment to whoever asks again', async () => {
    const once = await read({ location: 'data/a.csv', dataset: 'same' }, { 'data/a.csv': csv(7) });
    const again = await read({ location: 'data/a.csv', dataset: 'same' }, { 'data/a.csv': csv(7) });
    // The card names its run.
    for (const name of ['dataset', 'profile', 'environment'])
      expect(outputOf(again, name)).toEqual(outputOf(once, name));
  });

  it('takes a loader of one argument', async () => {
    const run = await read({ location: 'a.csv', loader_method: 'load_one' }, { 'a.csv': csv(4) });
    expect(outputOf(run, 'dataset').attributes.rows).toBe('4');
  });

  it('fetches files under their own names', async () => {
    const server: Server = createServer((_, response) => response.end(csv(3)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const run = await read({ location: `http://127.0.0.1:${port}/x/far%20away.csv?token=secret` }, {});
    server.close();
    expect(await columnOf(outputOf(run, 'dataset').digest, 'source')).toEqual(Array(3).fill('far away.csv'));
    expect(JSON.stringify(run)).not.toContain('secret');
  });

  it('reads CSV without a loader by itself', async () => {
    const run = await read({ location: 'a.csv', loader_method: undefined }, { 'a.csv': csv(4) });
    expect(outputOf(run, 'dataset').attributes).toMatchObject({ rows: '4', columns: '2' });
    expect(outputOf(run, 'environment').kind).toBe('environment');
  });

  it('reads data to score without asking for its target', async () => {
    const { success } = await ingest.run('ingest_scoring', {
      config: { using: 'csv', location: 'a.csv', loader_method: 'load_one', dataset: 'd-scoring' },
      files: { ...steps, 'a.csv': 'id\n1\n2\n' },
      recipe: pythonRecipe,
    });
    expect(success?.outputs.map(({ name }) => name)).toEqual(['dataset', 'profile', 'environment', 'card']);
  });

  it('sets rows aside, after which rows are counted anew', async () => {
    const contract = { columns: { y: { max: { value: 1, on_violation: 'quarantine' } } } };
    const run = await read({ location: ['a.csv', 'b.csv'], contract }, { 'a.csv': csv(6), 'b.csv': csv(3) });
    expect(await columnOf(outputOf(run, 'dataset').digest, 'id')).toEqual([0, 1, 2, 3, 4, 0, 1, 2]);
    expect(await columnOf(outputOf(run, 'quarantine').digest, 'violated_rules')).toEqual(['columns.y.max']);
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    [
      'a loader that raises',
      { loader_method: 'broken' },
      /^steps\/ingest\.py:20: KeyError: .*no such column/,
    ],
    ['a loader that returns nothing', { loader_method: 'nothing' }, /returned nothing, not a DataFrame/],
    ['a loader that is not there', { loader_method: 'lod' }, /steps\/ingest\.py has no .*lod/],
    ['a file of another kind', { using: 'xlsx' }, /a\.csv does not end in \.xlsx/],
    [
      'a target that is not there',
      { loader_method: 'load', target: 'z' },
      /target_col: .* `z` is not in the data/,
    ],
  ])('fails on %s, saying where', async (_, { target = 'y', ...config }, message) => {
    const recipe = { ...pythonRecipe, targetColumn: String(target) };
    const run = await read({ location: 'a.csv', ...config }, { 'a.csv': csv(4) }, { recipe });
    expect(failureOf(run)).toMatchObject({
      code: 'invalid',
      retryable: false,
      message: expect.stringMatching(message),
    });
  });

  it('stops the worker when the run is cancelled, and leaves nothing behind', async () => {
    const pidFile = join(ingest.dataDir, 'pid');
    const slow = `import os, time\n\n\ndef load(path, file_format):\n    with open(${JSON.stringify(pidFile)}, "w") as f:\n        f.write(str(os.getpid()))\n    time.sleep(600)\n`;
    const key = await ingest.send('ingest', {
      pipelineRunId: 'run-cancelled',
      config: { using: 'csv', loader_method: 'load', location: 'a.csv', dataset: 'cancelled' },
      files: { 'steps/ingest.py': slow, 'a.csv': csv(4) },
      recipe: pythonRecipe,
    });
    await vi.waitFor(() => expect(existsSync(pidFile)).toBe(true), { timeout: 30_000 });
    const pid = Number(await vi.waitFor(async () => (await readFile(pidFile, 'utf8')) || expect.fail()));
    await ingest.cancel('run-cancelled');
    expect(failureOf(await ingest.result(key))?.code).toBe('cancelled');
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow(), { timeout: 10_000 });
    await vi.waitFor(async () => expect(await readdir(join(ingest.dataDir, 'ingest', 'tmp'))).toEqual([]));
  });
});

describe('split of a Python recipe', () => {
  const split = async (config: Record<string, unknown>, count = 400, more: Partial<StepOptions> = {}) => {
    const made = await read({ location: 'a.csv', loader_method: 'load_one' }, { 'a.csv': csv(count) }, more);
    return ingest.run('split', {
      config,
      files: { ...steps },
      inputs: [outputOf(made, 'dataset'), outputOf(made, 'environment')],
      recipe: pythonRecipe,
      ...more,
    });
  };
  const idsOf = async (run: StepRun) =>
    Promise.all(
      ['train', 'validation', 'test'].map(
        async (name) => (await columnOf(outputOf(run, name).digest, 'id')) ?? [],
      ),
    );

  it("divides rows as MLflow's default does", async () => {
    const run = await split({});
    const [train = [], validation = [], test = []] = await idsOf(run);
    expect([...train, ...validation, ...test].map(Number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 400 }, (_, id) => id),
    );
    // What MLflow 2.22 makes of the same rows.
    expect([train.length, validation.length, test.length]).toEqual([319, 43, 38]);
    expect(validation.slice(0, 8)).toEqual([3, 23, 60, 62, 69, 80, 100, 104]);
    expect(test.slice(0, 8)).toEqual([8, 21, 57, 59, 77, 84, 86, 88]);
    expect(run.success?.summary).toMatchObject({
      trainRows: train.length,
      droppedRows: 0,
      method: 'hash of the row',
      leaks: { identicalRows: 0 },
    });
  });

  it('calls the functions of the project', async () => {
    const filtered = await split({ split_ratios: [0.5, 0.25, 0.25], post_split_filter_method: 'keep_even' });
    const [train = [], validation = []] = await idsOf(filtered);
    expect(train.every((id) => Number(id) % 2 === 0)).toBe(true);
    expect(validation.some((id) => Number(id) % 2 === 1)).toBe(true);
    expect(Number(filtered.success?.summary?.filteredRows)).toBeGreaterThan(0);
    const custom = await split({ using: 'custom', split_method: 'by_id' }, 30);
    expect((await idsOf(custom)).map((ids) => ids.map((id) => Number(id) % 3))).toEqual([
      Array(10).fill(0),
      Array(10).fill(1),
      Array(10).fill(2),
    ]);
  });

  it('says which classes a split lacks, and refuses splits that are too small', async () => {
    expect(failureOf(await split({}, 6))).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/fewer than 4 rows|at least 4 rows|4 rows/),
    });
  });
});
