import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseDigest } from '@millrace/blobs';
import { Artifact, type StepFailure, type StepSuccess } from '@millrace/contracts/step';
import { readTable, type Table, writeTable } from '@millrace/tabular';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Lab } from './lab.ts';
import { constantModel } from './packages.ts';
import { buildTimeoutMs, linearPythonModel } from './python-package.ts';

let lab: Lab;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-scoring-'));
  lab = await Lab.open();
  await lab.register('trips', 1, await constantModel(7));
  await lab.register('trips', 2, await constantModel(8));
  await lab.register('taxi', 1, await linearPythonModel());
  lab.aliases.set('trips@production', 1);
}, buildTimeoutMs);
afterAll(async () => {
  await lab.stop();
  await rm(directory, { recursive: true, force: true });
});

const batch: Table = {
  rowCount: 3,
  columns: [
    { name: 'distance', type: 'number', values: [100, 200, 300] },
    { name: 'city', type: 'string', values: ['Bern', 'Graz', 'Oslo'] },
    { name: 'prediction', type: 'string', values: ['old', 'old', 'old'] },
  ],
};

let runs = 0;
const predict = async (
  config: object,
  table = batch,
): Promise<{ success?: StepSuccess; failure?: StepFailure }> => {
  const file = join(directory, 'batch.parquet');
  await writeTable(table, file);
  const { digest, size } = await lab.blobs.put({ file });
  const run = `scoring-${runs++}`;
  const input = Artifact.fromPartial({ name: 'dataset', kind: 'dataset_version', digest, size });
  const output = { using: 'parquet', location: 'data/scored.parquet' };
  await lab.sendStep(run, '', { output, ...config }, { step: 'predict', inputs: [input] });
  return lab.stepResult(run, 1, 'predict');
};

const outputOf = ({ success, failure }: { success?: StepSuccess; failure?: StepFailure }, name: string) => {
  const found = success?.outputs.find((output) => output.name === name);
  if (found === undefined) throw new Error(`no ${name}: ${JSON.stringify(failure?.error)}`);
  return found;
};

const predictionsOf = async (result: Awaited<ReturnType<typeof predict>>) => {
  const file = join(directory, 'scored.parquet');
  await lab.blobs.materialize(parseDigest(outputOf(result, 'scored_data').digest), file);
  const { columns } = await readTable(file);
  await rm(file);
  expect(columns.map(({ name }) => name)).toEqual(['distance', 'city', 'prediction']);
  return columns.at(-1)?.values;
};

/** The files that are to be written, by path. */
const writtenFiles = async (result: Awaited<ReturnType<typeof predict>>) => {
  const bytes = await lab.blobs.read(parseDigest(outputOf(result, 'scored_output').digest), 100_000);
  const { files } = JSON.parse(new TextDecoder().decode(bytes)) as {
    files: { path: string; digest: string }[];
  };
  return Promise.all(
    files.map(async ({ path, digest }) => ({
      path,
      text: new TextDecoder().decode(await lab.blobs.read(parseDigest(digest), 100_000)),
    })),
  );
};

test.each([
  ['models:/trips/latest', 8],
  ['models:/trips/1', 7],
  ['models:/trips@production', 7],
  ['models:/trips/Production', 7],
])('rows are scored with the model %s', async (uri, value) => {
  const result = await predict({ model_uri: uri });
  expect(await predictionsOf(result)).toEqual([value, value, value]);
  expect(outputOf(result, 'scored_data').attributes).toMatchObject({
    rows: '3',
    model: value === 8 ? 'trips/2' : 'trips/1',
  });
});

test('a model of Python scores in its own environment', { timeout: 60_000 }, async () => {
  const result = await predict({ model_uri: 'models:/taxi/latest' });
  const predictions = await predictionsOf(result);
  expect(predictions).toEqual([201, 401, 601].map((value) => expect.closeTo(value, 6)));
  expect(result.success?.warnings).toEqual(["the input's own column `prediction` is replaced"]);
});

test.each(['models:/trips/1', 'models:/taxi/1'])(
  '%s gives what the recipe is to write',
  { timeout: 60_000 },
  async (uri) => {
    const output = { using: 'csv', location: 'out' };
    const result = await predict({ model_uri: uri, output, save_mode: 'append' });
    expect(outputOf(result, 'card').mediaType).toBe('text/html');
    expect(outputOf(result, 'scored_output').attributes).toMatchObject({
      using: 'csv',
      location: 'out',
      saveMode: 'append',
    });
    const [file, ...more] = await writtenFiles(result);
    expect(more).toEqual([]);
    expect(file?.text.split('\n')[0]).toBe('distance,city,prediction');
    expect(file?.text.trim().split('\n')).toHaveLength(4);
  },
);

test.each([
  ['models:/trips/9', /no model version trips\/9/],
  ['models:/nothing/latest', /no model nothing/],
  ['models/model.pkl', /names no registered model/],
])('%s is refused', async (uri, message) => {
  const { failure } = await predict({ model_uri: uri });
  expect(failure?.error).toMatchObject({ retryable: false, message: expect.stringMatching(message) });
});

test('rows without a column that the model needs are refused by name', { timeout: 60_000 }, async () => {
  const without = { ...batch, columns: batch.columns.filter(({ name }) => name !== 'distance') };
  for (const uri of ['models:/trips/1', 'models:/taxi/1']) {
    const { failure } = await predict({ model_uri: uri }, without);
    expect(failure?.error?.message).toMatch(/distance/);
    expect(failure?.error?.code).toBe('invalid');
  }
});
