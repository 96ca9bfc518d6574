import { join } from 'node:path';
import { nestingFaults } from '@millrace/cards/testing';
import { type Table, writeTable } from '@millrace/tabular';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  cardOf,
  type IngestFixture,
  outputOf,
  type StepOptions,
  type StepRun,
  startIngest,
} from './ingest-fixture.ts';

let ingest: IngestFixture;
beforeAll(async () => {
  ingest = await startIngest();
});
afterAll(() => ingest.stop());

const count = 2_000;
const numbers = Array.from({ length: count }, (_, index) => index);
const flights: Table = {
  rowCount: count,
  columns: [
    { name: 'id', type: 'integer', values: numbers },
    { name: 'plane', type: 'string', values: numbers.map((index) => `N${index % 97}`) },
    {
      name: 'at',
      type: 'timestamp',
      values: numbers.map((index) => Math.floor(((index * 7) % count) / 4) * 3_600_000),
    },
    { name: 'y', type: 'number', values: numbers.map((index) => (index % 100 === 7 ? null : index / 3)) },
    { name: 'split', type: 'boolean', values: numbers.map((index) => index % 2 === 0) },
  ],
};

let files = 0;
const datasetOf = async (table: Table) => {
  const file = join(ingest.dataDir, `input-${files++}.parquet`);
  await writeTable(table, file);
  const { digest, size } = await ingest.blobs.put({ file });
  return { name: 'dataset', kind: 'dataset_version', id: 'd@1', digest, size, mediaType: '', attributes: {} };
};

const split = async (config: Record<string, unknown>, options: Partial<StepOptions> = {}, table = flights) =>
  ingest.run('split', { config, inputs: [await datasetOf(table)], ...options });

const names = ['train', 'validation', 'test'] as const;

const valuesOf = async (run: StepRun, column: string) => {
  const tables = await Promise.all(names.map((name) => ingest.table(outputOf(run, name).digest)));
  return tables.map((table) => table.columns.find(({ name }) => name === column)?.values ?? []);
};

const failureOf = (run: StepRun) => run.failure?.error;

describe('the split step', () => {
  it('divides rows near the ratios, each into one split, in their order, without those that have no label', async () => {
    const run = await split({});
    const ids = await valuesOf(run, 'id');
    const shares = ids.map((values) => values.length / 1980);
    // Standard deviation of a binomial share of 1,980 rows is at most 0.0098.
    for (const [index, expected] of [0.75, 0.125, 0.125].entries()) {
      expect(Math.abs((shares[index] ?? 0) - expected)).toBeLessThan(0.04);
    }
    const all = ids.flat() as number[];
    expect(new Set(all).size).toBe(1980);
    for (const values of ids as number[][]) expect(values).toEqual([...values].sort((a, b) => a - b));
    expect(run.success?.summary).toMatchObject({
      droppedRows: 20,
      trainRows: ids[0]?.length,
      validationRows: ids[1]?.length,
      testRows: ids[2]?.length,
      leaks: { identicalRows: 0, sharedKeys: 0, timeOverlap: 0 },
    });
    expect(run.success?.warnings).toEqual(['20 rows without a value of "y" were dropped']);
  });

  it('compares the splits on a card', async () => {
    const run = await split({}, { recipe: { task: 'classification/multiclass', targetColumn: 'plane' } });
    const page = await cardOf(ingest, run);
    expect(nestingFaults(page)).toEqual([]);
    for (const part of ['hash of the row', 'Splits compared', 'Leaks', 'Classes', 'Distribution of id'])
      expect(page).toContain(part);
    expect(await cardOf(ingest, await split({ skip_data_profiling: true }))).not.toContain('Splits compared');
  });

  it('gives the same bytes for the same rows and seed, and others for another seed', async () => {
    const digests = async (seed: number) => {
      const run = await split({}, { recipe: { seed } });
      return names.map((name) => outputOf(run, name).digest);
    };
    expect(await digests(42)).toEqual(await digests(42));
    expect(await digests(42)).not.toEqual(await digests(43));
  });

  it('sends a row to the same split whatever other rows there are', async () => {
    const half: Table = {
      rowCount: count / 2,
      columns: flights.columns.map((column) => ({
        ...column,
        values: column.values.slice(0, count / 2),
      })) as never,
    };
    const [whole] = await valuesOf(await split({}), 'id');
    const [part] = await valuesOf(await split({}, {}, half), 'id');
    expect(part).toEqual(whole?.filter((id) => Number(id) < count / 2));
  });

  it('keeps rows of one key together', async () => {
    const run = await split({ key_columns: ['plane'], leak_check: 'block' });
    const planes = (await valuesOf(run, 'plane')).map((values) => new Set<unknown>(values));
    const all = planes.flatMap((set) => [...set]);
    expect(new Set(all).size).toBe(all.length);
    expect(all).toHaveLength(97);
  });

  it('trains on the oldest rows and tests on the newest, keeping equal times together', async () => {
    const run = await split({ time_column: 'at', split_ratios: [6, 2, 2] });
    const times = (await valuesOf(run, 'at')) as number[][];
    for (const [index, values] of times.entries()) {
      expect(Math.abs(values.length / 1980 - [0.6, 0.2, 0.2][index]!)).toBeLessThan(0.01);
      const later = times[index + 1];
      if (later !== undefined) expect(Math.max(...values)).toBeLessThan(Math.min(...later));
    }
    expect(run.success?.summary).toMatchObject({ leaks: { timeOverlap: 0 } });
  });

  it('counts rows that repeat an older one at a later time, and fails where the recipe wants it', async () => {
    const index = numbers.slice(0, 40);
    const repeating: Table = {
      rowCount: 40,
      columns: [
        { name: 't', type: 'integer', values: index },
        { name: 'x', type: 'number', values: index.map((one) => (one < 20 ? one : null)) },
        { name: 'y', type: 'number', values: index.map((one) => (one < 35 ? one : 20)) },
      ],
    };
    // Rows 35 to 39 equal row 20, which trains.
    const config = { time_column: 't', split_ratios: [2, 1, 1] };
    const run = await split(config, {}, repeating);
    expect(run.success?.summary).toMatchObject({ leaks: { identicalRows: 5 } });
    expect(run.success?.warnings).toEqual(['5 rows repeat a row of an earlier split']);
    const blocked = await split({ ...config, leak_check: 'block' }, {}, repeating);
    expect(failureOf(blocked)?.message).toBe(
      'steps.split.leak_check: 5 rows repeat a row of an earlier split',
    );
    const unchecked = await split({ ...config, leak_check: 'off' }, {}, repeating);
    expect(unchecked.success?.summary?.leaks).toBeUndefined();
  });

  it('counts the classes of each split', async () => {
    const classes = numbers.slice(0, 400).map((index) => (index % 10 === 0 ? 'late' : 'on time'));
    const table: Table = {
      rowCount: 400,
      columns: [
        { name: 'id', type: 'integer', values: numbers.slice(0, 400) },
        { name: 'y', type: 'string', values: classes },
      ],
    };
    const run = await split({}, { recipe: { task: 'classification/binary', positiveClass: 'late' } }, table);
    const counted = run.success?.summary?.classes as Record<string, Record<string, number>>;
    expect(names.reduce((sum, name) => sum + (counted[name]?.late ?? 0), 0)).toBe(40);
  });
});

const oneClassTrain: Table = {
  rowCount: 40,
  columns: [
    { name: 't', type: 'integer', values: numbers.slice(0, 40) },
    { name: 'y', type: 'string', values: numbers.slice(0, 40).map((index) => (index < 32 ? 'a' : 'b')) },
  ],
};

describe('a split that cannot be', () => {
  it.each<[string, Record<string, unknown>, RegExp, Partial<StepOptions>?, Table?]>([
    ['two ratios', { split_ratios: [0.5, 0.5] }, /^steps\.split\.split_ratios/],
    ['a ratio of zero', { split_ratios: [1, 0, 1] }, /^steps\.split\.split_ratios\[1\]/],
    ['an unknown key column', { key_columns: ['tail'] }, /key_columns\[0\]: the data has no column "tail"/],
    ['an unknown time column', { time_column: 'when' }, /time_column: the data has no column "when"/],
    [
      'a time column of text',
      { time_column: 'plane' },
      /"plane" is string, but must be a timestamp or number/,
    ],
    ['key and time columns', { time_column: 'at', key_columns: ['plane'] }, /cannot be combined/],
    [
      'a function',
      { using: 'custom', split_method: 'mine' },
      /split_method: split functions are not supported/,
    ],
    [
      'too few rows',
      { split_ratios: [2000, 1, 1] },
      /fewer than 4 rows \(train \d+, validation \d, test \d\)/,
    ],
    ['an absent target', {}, /target_col: the data has no column "z"/, { recipe: { targetColumn: 'z' } }],
    [
      'one class to train on',
      { time_column: 't' },
      /the training split holds only one class of "y": a \(the data has a, b\)/,
      { recipe: { task: 'classification/multiclass' } },
      oneClassTrain,
    ],
  ])('is refused: %s', async (_, config, message, options = {}, table = flights) => {
    const error = failureOf(await split(config, options, table));
    expect(error).toMatchObject({ code: 'invalid', retryable: false });
    expect(error?.message).toMatch(message);
  });

  it('names the rows that lack a time', async () => {
    const table: Table = {
      rowCount: 2,
      columns: [
        { name: 'at', type: 'timestamp', values: [1, null] },
        { name: 'y', type: 'number', values: [1, 2] },
      ],
    };
    expect(failureOf(await split({ time_column: 'at' }, {}, table))?.message).toMatch(/1 rows have no "at"/);
  });
});
