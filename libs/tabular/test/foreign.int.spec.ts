import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parquetSource, viewPandasParquet, writeCsv } from '../src/index.ts';
import { useSession } from './session.ts';

const session = useSession();

/** Writes a Parquet file as pandas does: with a description of the data frame beside the rows. */
const write = async (name: string, query: string, indexColumns: readonly unknown[]): Promise<string> => {
  const path = join(session().dir, name);
  const pandas = JSON.stringify({ index_columns: indexColumns, columns: [] });
  await session().duck.run(
    `COPY (${query}) TO '${path}' (FORMAT parquet, KV_METADATA {pandas: '${pandas}'})`,
  );
  return path;
};

describe('a file that pandas wrote', () => {
  it('is seen without its row labels, what no column can hold as text', async () => {
    const query = `SELECT 1.5::FLOAT AS x, [1, 2] AS list, 'nan'::DOUBLE AS missing, DATE '2020-01-02' AS day, 7 AS "__index_level_0__"`;
    const path = await write('labels.parquet', query, ['__index_level_0__']);
    const relation = await viewPandasParquet(session().duck, path, 'labels');
    expect(relation).toEqual({
      source: '"labels"',
      rowCount: 1,
      columns: [
        { name: 'x', type: 'number', nullable: false },
        { name: 'list', type: 'string', nullable: false },
        { name: 'missing', type: 'number', nullable: true },
        { name: 'day', type: 'timestamp', nullable: false },
      ],
    });
    expect(await session().duck.rows(`SELECT * FROM ${relation.source}`)).toEqual([
      { x: 1.5, list: '[1, 2]', missing: null, day: new Date('2020-01-02T00:00:00Z') },
    ]);
  });

  it('keeps every column where the labels only count rows, and where another program wrote it', async () => {
    const range = [{ kind: 'range', name: null, start: 0, stop: 1, step: 1 }];
    const path = await write('range.parquet', 'SELECT 1 AS a', range);
    expect((await viewPandasParquet(session().duck, path, 'ranged')).columns.map(({ name }) => name)).toEqual(
      ['a'],
    );
    const plain = join(session().dir, 'plain.parquet');
    await session().duck.run(`COPY (SELECT 1 AS a) TO '${plain}' (FORMAT parquet)`);
    expect((await viewPandasParquet(session().duck, plain, 'plain')).columns.map(({ name }) => name)).toEqual(
      ['a'],
    );
  });
});

it('writes CSV with a header, in the order of the rows', async () => {
  const path = await write('rows.parquet', `SELECT * FROM (VALUES (2, 'b,c'), (1, NULL)) AS t(x, y)`, []);
  const csv = join(session().dir, 'rows.csv');
  expect(await writeCsv(session().duck, `SELECT * FROM ${parquetSource(path)}`, csv)).toBe(2);
  expect(await readFile(csv, 'utf8')).toBe('x,y\n2,"b,c"\n1,\n');
});
