import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openDuckDb, quoteText, readTable, type Table, writeTable } from '../src/index.ts';

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tabular-'));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const table: Table = {
  rowCount: 4,
  columns: [
    { name: 'x', type: 'number', values: [1.5, null, -0.25, 1e300] },
    { name: 'n', type: 'integer', values: [1, 2, null, 9007199254740991] },
    { name: 'flag', type: 'boolean', values: [true, false, null, true] },
    { name: 'odd "name"', type: 'string', values: ["it's", '', null, '日本 🚀'] },
    { name: 'at', type: 'timestamp', values: [0, 1700000000123, null, -86400000] },
  ],
};

describe('tables in Parquet files', () => {
  it('come back as they were written, missing values included', async () => {
    await writeTable(table, join(dir, 't.parquet'));
    expect(await readTable(join(dir, 't.parquet'))).toEqual(table);
  });

  it('are read column by column in the order asked for', async () => {
    await writeTable(table, join(dir, 't.parquet'));
    const read = await readTable(join(dir, 't.parquet'), { columns: ['n', 'x'] });
    expect(read.columns.map(({ name }) => name)).toEqual(['n', 'x']);
  });

  it('that pandas wrote come without their row labels, and what no column can hold is text', async () => {
    const path = join(dir, 'pandas.parquet');
    await using duck = await openDuckDb({ tempDir: join(dir, 'duckdb'), allowedDirectories: [dir] });
    const metadata = quoteText(JSON.stringify({ index_columns: ['__index_level_0__'] }));
    await duck.run(
      `COPY (SELECT 1.5 AS x, [1, 2] AS list, 7 AS __index_level_0__) TO ${quoteText(path)} (FORMAT parquet, KV_METADATA {pandas: ${metadata}})`,
    );
    expect(await readTable(path, { pandas: true })).toEqual({
      rowCount: 1,
      columns: [
        { name: 'x', type: 'number', values: [1.5] },
        { name: 'list', type: 'string', values: ['[1, 2]'] },
      ],
    });
    await expect(readTable(path)).rejects.toMatchObject({ code: 'invalid' });
  });

  it('have the same bytes when written twice', async () => {
    const values = Array.from({ length: 300_000 }, (_, index) => (index * 7919) % 1009);
    const large: Table = { rowCount: values.length, columns: [{ name: 'x', type: 'number', values }] };
    const digests = await Promise.all(
      ['a', 'b'].map(async (name) => {
        await writeTable(large, join(dir, name));
        return createHash('sha256')
          .update(await readFile(join(dir, name)))
          .digest('hex');
      }),
    );
    expect(digests[0]).toBe(digests[1]);
    expect(await readTable(join(dir, 'a'))).toEqual(large);
  });

  it('hold what was NaN or infinite as missing', async () => {
    const odd: Table = {
      rowCount: 2,
      columns: [{ name: 'x', type: 'number', values: [Number.NaN, Number.POSITIVE_INFINITY] }],
    };
    await writeTable(odd, join(dir, 't.parquet'));
    expect((await readTable(join(dir, 't.parquet'))).columns[0]?.values).toEqual([null, null]);
  });

  it('refuse an absent column by its name', async () => {
    await writeTable(table, join(dir, 't.parquet'));
    await expect(readTable(join(dir, 't.parquet'), { columns: ['y'] })).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringContaining('"y"'),
    });
  });

  it('refuse a file that is not Parquet', async () => {
    await writeFile(join(dir, 'bad.parquet'), 'this is no Parquet file, whatever its name says');
    await expect(readTable(join(dir, 'bad.parquet'))).rejects.toMatchObject({ code: 'invalid' });
  });

  it('refuse columns of unequal length', async () => {
    await expect(writeTable({ ...table, rowCount: 5 }, join(dir, 't.parquet'))).rejects.toThrow(
      /4 values in a table of 5 rows/,
    );
  });

  it('stop on an abort', async () => {
    await expect(
      writeTable(table, join(dir, 't.parquet'), { signal: AbortSignal.abort() }),
    ).rejects.toThrow();
  });
});
