import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { type CsvOptions, type FileFormat, loadFiles, type SourceFile } from '../src/index.ts';
import { useSession } from './session.ts';

const session = useSession();

let tables = 0;
const load = (files: readonly SourceFile[], format: FileFormat = 'csv', csv: CsvOptions = {}) =>
  loadFiles(session().duck, { table: `t${tables++}`, format, files, csv });

const loadText = async (content: string | Uint8Array, csv: CsvOptions = {}) =>
  load([await session().file(`f${tables}.csv`, content)], 'csv', csv);

const typesOf = (relation: { columns: readonly { name: string; type: string }[] }) =>
  Object.fromEntries(relation.columns.map(({ name, type }) => [name, type]));

const rowsOf = (relation: { source: string }) => session().duck.rows(`SELECT * FROM ${relation.source}`);

describe('CSV files', () => {
  it('get the narrowest type that all values fit', async () => {
    const relation = await loadText(
      [
        'i,f,b,s,d,t,mixed,id,empty',
        '1,1.5,true,x,2013-01-01,2013-01-01T10:00:00+02:00,1,12345678901234567890,',
        '-2,1e3,FALSE,y,2013-1-2,2013-01-01 08:00,1.5,2,NA',
        'NA,,,"",,,abc,3,',
      ].join('\n'),
    );
    expect(typesOf(relation)).toEqual({
      i: 'integer',
      f: 'number',
      b: 'boolean',
      s: 'string',
      d: 'timestamp',
      t: 'timestamp',
      mixed: 'string',
      id: 'string',
      empty: 'string',
    });
    expect(relation.columns.find(({ name }) => name === 'i')?.nullable).toBe(true);
    const rows = await rowsOf(relation);
    expect(rows[0]).toMatchObject({
      i: 1,
      f: 1.5,
      b: true,
      t: new Date('2013-01-01T08:00:00Z'),
      empty: null,
    });
    expect(rows[1]?.t).toEqual(new Date('2013-01-01T08:00:00Z'));
  });

  it('find the type from all rows, not from the first ones', async () => {
    const rows = Array.from({ length: 30_000 }, (_, index) => String(index));
    expect(typesOf(await loadText(`x\n${rows.join('\n')}\nnot a number\n`))).toEqual({ x: 'string' });
  });

  it.each([
    ['comma', 'a,b\n1,2\n', {}],
    ['semicolon and decimal text', 'a;b\n1;"x;y"\n', {}],
    ['tab', 'a\tb\n1\t2\n', {}],
    ['bar', 'a|b\n1|2,3\n', {}],
    ['single quotes', "a,b\n'1,5','x'\n'2','y'\n", {}],
    ['given delimiter', 'a:b\n1:2\n', { delimiter: ':' }],
    ['Windows line ends', 'a,b\r\n1,2\r\n', {}],
    ['byte order mark', '\ufeffa,b\n1,2\n', {}],
  ])('are divided by what they use: %s', async (_, text, options) => {
    const relation = await loadText(text, options);
    expect(relation.columns.map(({ name }) => name)).toEqual(['a', 'b']);
  });

  it('are unpacked and read in UTF-16 and Latin-1', async () => {
    expect(await rowsOf(await loadText(gzipSync('a,b\n1,é\n')))).toEqual([{ a: 1, b: 'é' }]);
    expect(await rowsOf(await loadText(Buffer.from('\ufeffa,b\n1,é\n', 'utf16le')))).toEqual([
      { a: 1, b: 'é' },
    ]);
    const latin = Buffer.from('a,b\n1,é\n', 'latin1');
    expect(await rowsOf(await loadText(latin, { encoding: 'latin-1' }))).toEqual([{ a: 1, b: 'é' }]);
    await expect(loadText(latin)).rejects.toThrow(/is not UTF-8 text/);
  });

  it('keep as text the columns that are declared so', async () => {
    const relation = await loadText('zip\n01234\n', { textColumns: ['zip'] });
    expect(await rowsOf(relation)).toEqual([{ zip: '01234' }]);
  });

  it('without header get numbered columns, and so do nameless ones', async () => {
    expect(typesOf(await loadText('1,2\n3,4\n', { header: false }))).toEqual({
      column_1: 'integer',
      column_2: 'integer',
    });
    expect(typesOf(await loadText(',x\n0,4\n'))).toEqual({ column_1: 'integer', x: 'integer' });
  });

  it.each([
    ['an empty file', '', /the file is empty/],
    ['only empty lines', '\n\n\n', /only empty lines/],
    ['a header alone', 'a,b\n', /columns but no rows/],
    ['a missing field', 'a,b,c\n1,2,3\n4,5\n', /\.csv:3: expected 3 fields, found 2/],
    ['several missing fields', 'a,b,c,d\n1\n1,2,3,4\n', /\.csv:2: expected 4 fields, found 1$/],
    ['several additional fields', 'a,b\n1,2,3,4,5\n1,2\n', /\.csv:2: expected 2 fields, found 3 or more$/],
    ['an additional field', 'a,b\n1,2\n\n"x\ny",2\n5,6,7\n', /\.csv:6: expected 2 fields, found 3/],
    ['an additional field like a missing value', 'a,b\n1,2\n5,6,NA\n', /\.csv:3: expected 2 fields, found 3/],
    ['an additional 1', 'a,b\n1,2\n5,6,1\n', /\.csv:3: expected 2 fields, found 3/],
    ['an unclosed quote', 'a,b\n1,"x\n2,y\n', /\.csv:2: a quoted field does not end/],
    ['a name used twice', 'a,b,a\n1,2,3\n', /column "a" appears twice/],
    ['names that differ in case only', 'a,A\n1,2\n', /"a" and "A" differ only in case/],
  ])('are refused, naming the place: %s', async (_, text, message) => {
    await expect(loadText(text)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  });

  it('with many bad lines name the first ones', async () => {
    const lines = Array.from({ length: 50 }, () => '1');
    await expect(loadText(`a,b\n${lines.join('\n')}\n`)).rejects.toMatchObject({
      violations: expect.arrayContaining([
        { path: expect.stringMatching(/:3$/), message: expect.any(String) },
      ]),
      message: expect.stringMatching(/and 9 or more/),
    });
  });
});

describe('several files', () => {
  it('are joined by column name in their order', async () => {
    const { file } = session();
    const relation = await load([
      await file('one.csv', 'a,b,c\n1,x,\n2,y,\n'),
      await file('two.csv', 'b,a,c\nz,3.5,2013-01-01\n'),
    ]);
    expect(typesOf(relation)).toEqual({ a: 'number', b: 'string', c: 'timestamp' });
    expect((await rowsOf(relation)).map(({ a }) => a)).toEqual([1, 2, 3.5]);
  });

  it.each([
    ['lacks a column', 'a\n1\n', /data\/second\.csv: column "b" of data\/first\.csv is missing/],
    ['adds a column', 'a,b,c\n1,2,3\n', /data\/second\.csv: column "c" is not in data\/first\.csv/],
    [
      'has another type',
      'a,b\n1,x\n',
      /data\/second\.csv: column "b" holds string values, but integer values/,
    ],
  ])('are refused when one %s', async (_, text, message) => {
    const { file } = session();
    const files = [await file('first.csv', 'a,b\n1,2\n'), await file('second.csv', text)];
    await expect(load(files)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  });
});

describe('JSON lines', () => {
  it('are read with absent values missing', async () => {
    const content = '{"a":1,"b":"x","t":"2013-01-01T00:00:00Z"}\n{"b":"y","a":2.5}\n';
    const relation = await load([await session().file('j.jsonl', content)], 'jsonl');
    expect(typesOf(relation)).toEqual({ a: 'number', b: 'string', t: 'timestamp' });
    expect((await rowsOf(relation))[1]).toEqual({ a: 2.5, b: 'y', t: null });
  });

  it.each([
    ['a line cut off', '{"a":1}\n{"a":\n', /data\/bad\.jsonl:\d: not readable JSON lines/],
    ['nested values', '{"a":{"x":1}}\n', /column "a": the type STRUCT.* is not supported/],
    ['no objects', '[1,2]\n3\n', /not readable JSON lines/],
    ['nothing', '', /the file is empty/],
  ])('are refused, naming the place: %s', async (_, text, message) => {
    const files = [await session().file('bad.jsonl', text)];
    await expect(load(files, 'jsonl')).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  });
});

describe('JSON', () => {
  it.each([
    ['an array', '[{"a":1},{"a":2}]'],
    ['lines', '{"a":1}\n{"a":2}\n'],
  ])('is read from %s', async (_, text) => {
    const relation = await load([await session().file('array.json', text)], 'json');
    expect(await rowsOf(relation)).toEqual([{ a: 1 }, { a: 2 }]);
  });
});

describe('Parquet files', () => {
  it('come in the five column types, infinities missing', async () => {
    const { dir, duck } = session();
    await duck.run(`COPY (SELECT 1::UTINYINT AS i, 2.5::DECIMAL(5,2) AS f, 'infinity'::FLOAT AS inf, true AS b,
      DATE '2013-01-02' AS d, 'x'::ENUM('x', 'y') AS e) TO '${dir}/typed.parquet' (FORMAT parquet)`);
    const relation = await load([{ path: `${dir}/typed.parquet`, label: 'typed.parquet' }], 'parquet');
    expect(typesOf(relation)).toEqual({
      i: 'integer',
      f: 'number',
      inf: 'number',
      b: 'boolean',
      d: 'timestamp',
      e: 'string',
    });
    expect(await rowsOf(relation)).toEqual([
      { i: 1, f: 2.5, inf: null, b: true, d: new Date('2013-01-02T00:00:00Z'), e: 'x' },
    ]);
  });

  it('that are none are refused by their label, not by their place on the machine', async () => {
    const files = [await session().file('bad.parquet', 'this is no Parquet file at all')];
    const error = await load(files, 'parquet').catch((thrown: Error) => thrown);
    expect(error).toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(/^data\/bad\.parquet: not readable Parquet/),
    });
    expect(String(error)).not.toContain(session().dir);
  });
});
