import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { activeContent, nestingFaults } from '@millrace/cards/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cardOf, type IngestFixture, outputOf, type StepOptions, startIngest } from './ingest-fixture.ts';

let ingest: IngestFixture;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

const rows = Array.from(
  { length: 40 },
  (_, index) => `${index},${index % 3 === 0 ? 'a' : 'b'},${index * 2.5}`,
);
const csv = `id,kind,y\n${rows.join('\n')}\n`;

const options = (changes: Partial<StepOptions> = {}, config: Record<string, unknown> = {}): StepOptions => ({
  config: { using: 'csv', location: 'data/*.csv', dataset: 'demo', ...config },
  files: { 'data/one.csv': csv, 'recipe.yaml': 'recipe: regression/v1' },
  ...changes,
});

const columnsOf = async (digest: string) =>
  Object.fromEntries((await ingest.table(digest)).columns.map(({ name, values }) => [name, values]));

describe('the ingest step', () => {
  it('makes a dataset version with its profile, and tells of it', async () => {
    const run = await ingest.run('ingest', options({}, { dataset: 'told' }));
    const dataset = outputOf(run, 'dataset');
    expect(dataset).toMatchObject({
      kind: 'dataset_version',
      attributes: { dataset: 'told', version: '1', rows: '40', columns: '3' },
    });
    expect((await columnsOf(dataset.digest)).y?.slice(0, 3)).toEqual([0, 2.5, 5]);
    const profile = JSON.parse(
      Buffer.from(await ingest.blobs.read(outputOf(run, 'profile').digest as never, 1e6)).toString(),
    );
    expect(profile).toMatchObject({ version: 1, rowCount: 40 });

    const { datasetVersion } = await ingest.datasets.getDatasetVersion({ id: dataset.id });
    expect(datasetVersion).toMatchObject({
      dataset: 'told',
      version: 1,
      digest: dataset.digest,
      rowCount: 40,
      profileDigest: outputOf(run, 'profile').digest,
      columns: [
        { name: 'id', type: 'integer', nullable: false },
        { name: 'kind', type: 'string', nullable: false },
        { name: 'y', type: 'number', nullable: false },
      ],
      sources: [{ location: 'data/one.csv' }],
    });
    const events = await ingest.events('millrace.ingest.dataset_version.created.v1', 1);
    expect(events[0]).toMatchObject({ datasetVersion: { id: dataset.id }, project: 'demo' });
  });

  it('gives the same content the same version, and other content the next number', async () => {
    const one = outputOf(await ingest.run('ingest', options({}, { dataset: 'numbered' })), 'dataset');
    const again = await ingest.run('ingest', options({}, { dataset: 'numbered' }));
    expect(outputOf(again, 'dataset')).toEqual(one);
    expect(again.success?.summary).toMatchObject({ reused: true });
    const other = await ingest.run(
      'ingest',
      options({ files: { 'data/one.csv': `${csv}99,a,1\n` } }, { dataset: 'numbered' }),
    );
    expect(outputOf(other, 'dataset').attributes.version).toBe('2');
    const { datasetVersions } = await ingest.datasets.listDatasetVersions({
      dataset: 'numbered',
      page: undefined,
    });
    expect(datasetVersions.map(({ version }) => version)).toEqual([2, 1]);
    const { datasets } = await ingest.datasets.listDatasets({ page: undefined });
    expect(datasets.find(({ name }) => name === 'numbered')).toMatchObject({ latestVersion: 2 });
  });

  it('shows data, sources and contract on a card, without the profile where the recipe skips it', async () => {
    const contract = { columns: { y: { max: 0.5, on_violation: 'quarantine' } } };
    const run = await ingest.run(
      'ingest',
      options({ pipelineRunId: 'shown' }, { dataset: 'shown', contract }),
    );
    const page = await cardOf(ingest, run);
    expect(nestingFaults(page)).toEqual([]);
    expect(activeContent(page)).toEqual([]);
    const shown = [
      outputOf(run, 'dataset').id,
      'data/one.csv',
      'Data profile',
      'Schema',
      'First rows',
      'quarantine',
    ];
    for (const fact of shown) expect(page).toContain(fact);
    const skipped = await ingest.run('ingest', options({}, { dataset: 'shown', skip_data_profiling: true }));
    expect(await cardOf(ingest, skipped)).not.toContain('Data profile');
    expect(outputOf(skipped, 'profile').digest).toMatch(/^sha256:/);
  });

  it('makes one version of a command that comes twice, and of steps that run at the same time', async () => {
    const twice = options({ pipelineRunId: 'twice' }, { dataset: 'once' });
    await ingest.send('ingest', twice, 'first');
    const key = await ingest.send('ingest', twice, 'second');
    const others = Array.from({ length: 4 }, () => ingest.run('ingest', options({}, { dataset: 'once' })));
    const found = [await ingest.result(key), ...(await Promise.all(others))].map(
      (run) => outputOf(run, 'dataset').id,
    );
    expect(new Set(found).size).toBe(1);
    const { datasetVersions } = await ingest.datasets.listDatasetVersions({
      dataset: 'once',
      page: undefined,
    });
    expect(datasetVersions).toHaveLength(1);
  });

  it('reads several formats to the same bytes', async () => {
    const table = Array.from({ length: 12 }, (_, index) => ({ id: index, y: index / 2 + 0.25 }));
    const text = `id,y\n${table.map(({ id, y }) => `${id},${y}`).join('\n')}\n`;
    const lines = table.map((row) => JSON.stringify(row)).join('\n');
    const digests = [];
    for (const [using, name, content] of [
      ['csv', 'd.csv', text],
      ['jsonl', 'd.jsonl', lines],
      ['json', 'd.json', JSON.stringify(table)],
    ] as const) {
      const run = await ingest.run(
        'ingest',
        options({ files: { [name]: content } }, { using, location: name }),
      );
      digests.push(outputOf(run, 'dataset').digest);
    }
    const parquet = await ingest.blobs.read(digests[0] as never, 1e6);
    const run = await ingest.run(
      'ingest',
      options({ files: { 'd.parquet': parquet } }, { using: 'parquet', location: 'd.parquet' }),
    );
    expect(new Set([...digests, outputOf(run, 'dataset').digest]).size).toBe(1);
  });

  it('reads a directory, a list and a pattern in one order', async () => {
    const files = { 'data/b.csv': 'id,y\n2,2\n', 'data/a.csv': 'y,id\n1,1\n', 'data/notes.md': '# not data' };
    for (const location of ['data', 'data/*.csv', ['data/a.csv', './data/b.csv', 'data/b.csv']]) {
      const run = await ingest.run('ingest', options({ files }, { location }));
      expect((await columnsOf(outputOf(run, 'dataset').digest)).id).toEqual([1, 2]);
    }
  });
});

interface BadInput extends Partial<StepOptions> {
  readonly because: string;
  readonly settings?: Record<string, unknown>;
  readonly message: RegExp;
}

const classification = { kind: 'classification/v1', task: 'classification/multiclass' };

const badInputs: readonly BadInput[] = [
  { because: 'an empty file', files: { 'data/e.csv': '' }, message: /^data\/e\.csv: the file is empty/ },
  {
    because: 'a ragged CSV',
    files: { 'data/r.csv': 'id,y\n1,2\n3\n' },
    message: /^data\/r\.csv:3: expected 2 fields, found 1/,
  },
  {
    because: 'a missing target',
    files: { 'data/m.csv': 'id,x\n1,2\n' },
    message: /^target_col: the data has no column "y"/,
  },
  {
    because: 'a target without values',
    files: { 'data/m.csv': 'id,y\n1,\n2,\n' },
    message: /^target_col: column "y" holds no value/,
  },
  {
    because: 'a non-numeric target for regression',
    files: { 'data/n.csv': 'id,y\n1,2\n2,late\n' },
    message: /^target_col: regression needs numbers, but column "y" is string \(for instance "late"\)/,
  },
  {
    because: 'one class for classification',
    files: { 'data/o.csv': 'id,y\n1,a\n2,a\n' },
    recipe: classification,
    message: /^target_col: classification needs two classes or more, but column "y" holds only a/,
  },
  {
    because: 'a positive class that does not occur',
    files: { 'data/o.csv': 'id,y\n1,a\n2,b\n' },
    recipe: { ...classification, task: 'classification/binary', positiveClass: 'c' },
    message: /^positive_class: "c" is none of the classes of "y": a, b/,
  },
  {
    because: 'three classes with a positive one',
    files: { 'data/o.csv': 'id,y\n1,a\n2,b\n3,c\n' },
    recipe: { ...classification, task: 'classification/binary', positiveClass: 'c' },
    message: /^positive_class: column "y" holds 3 classes: a, b, c/,
  },
  {
    because: 'a path outside the project',
    settings: { location: '../secret.csv' },
    message: /^steps\.ingest\.location: "\.\.\/secret\.csv" lies outside the project/,
  },
  {
    because: 'an absolute path',
    settings: { location: ['data/one.csv', '/etc/passwd'] },
    message: /^steps\.ingest\.location\[1\]: "\/etc\/passwd" lies outside the project/,
  },
  {
    because: 'a pattern that matches nothing',
    settings: { location: 'nothing/*.csv' },
    message: /^steps\.ingest\.location: the project has no file at "nothing\/\*\.csv"/,
  },
  {
    because: 'an unreadable Parquet file',
    files: { 'p.parquet': 'PAR1 but nothing more of it PAR1' },
    settings: { using: 'parquet', location: 'p.parquet' },
    message: /^p\.parquet: not readable Parquet/,
  },
  {
    because: 'a format without reader',
    settings: { using: 'delta' },
    message: /^steps\.ingest\.using: "delta" has no built-in reader/,
  },
  {
    because: 'an unknown key of the contract',
    settings: { contract: { columns: { y: { maximum: 3 } } } },
    message: /^steps\.ingest\.contract\.columns\.y: Unrecognized key: "maximum"/,
  },
];

describe('bad input fails the step, makes nothing and is not tried again', () => {
  it.each(badInputs)('$because', async ({ because, settings, message, ...changes }) => {
    const dataset = because.replaceAll(/[^a-z]+/gi, '-');
    const { failure } = await ingest.run('ingest', options(changes, { dataset, ...settings }));
    expect(failure?.error).toMatchObject({ code: 'invalid', retryable: false });
    expect(failure?.error?.message).toMatch(message);
    expect(failure?.outputs.map(({ kind }) => kind)).toEqual(['card']);
    const { datasetVersions } = await ingest.datasets.listDatasetVersions({ dataset, page: undefined });
    expect(datasetVersions).toEqual([]);
  });
});

describe('a cancelled run', () => {
  it('ends its ingest under way', async () => {
    const large = `id,y\n${Array.from({ length: 2_000_000 }, (_, index) => `${index},${index}`).join('\n')}\n`;
    const reading = ingest.progress('given-up', 'reading');
    const key = await ingest.send(
      'ingest',
      options({ pipelineRunId: 'given-up', files: { 'data/l.csv': large } }, { dataset: 'given-up' }),
    );
    await reading;
    await ingest.cancel('given-up');
    const { failure } = await ingest.result(key);
    expect(failure?.error?.code).toBe('cancelled');
    const { datasetVersions } = await ingest.datasets.listDatasetVersions({
      dataset: 'given-up',
      page: undefined,
    });
    expect(datasetVersions).toEqual([]);
    await expect.poll(() => readdir(join(ingest.dataDir, 'ingest', 'tmp'))).toEqual([]);
  });
});
