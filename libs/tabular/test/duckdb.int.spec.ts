import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDb, quoteIdentifier, quoteNumber, quoteText } from '../src/index.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tabular-'));
  await writeFile(join(dir, 'outside.csv'), 'a\n1\n');
});
afterAll(() => rm(dir, { recursive: true, force: true }));

describe('a session', () => {
  it('reaches nothing but its directories', async () => {
    await using duck = await openDuckDb({ tempDir: join(dir, 'inside') });
    const attempts = [
      `SELECT * FROM read_csv('${dir}/outside.csv')`,
      `SELECT * FROM read_csv('${dir}/inside/../outside.csv')`,
      `SELECT * FROM read_text('/etc/hostname')`,
      `SELECT * FROM glob('${dir}/*')`,
      `COPY (SELECT 1) TO '${dir}/made.parquet'`,
      `ATTACH '${dir}/made.db'`,
      `SELECT * FROM read_csv('http://127.0.0.1:9/x.csv')`,
      'INSTALL httpfs',
      'LOAD httpfs',
    ];
    for (const sql of attempts)
      await expect(duck.rows(sql), sql).rejects.toThrow(/Permission|disabled|not found/i);
  });

  it('keeps its settings', async () => {
    await using duck = await openDuckDb({ tempDir: join(dir, 'locked') });
    for (const sql of [
      'SET enable_external_access = true',
      `SET allowed_directories = ['/']`,
      'SET threads = 8',
    ]) {
      await expect(duck.run(sql), sql).rejects.toThrow();
    }
  });

  it('spills to its directory when memory runs short, and says so when that is not enough', async () => {
    await using duck = await openDuckDb({ tempDir: join(dir, 'spill'), memoryLimit: '60MB' });
    await duck.run('CREATE TABLE t AS SELECT i, hash(i) AS h FROM range(5000000) r(i)');
    expect(await duck.row('SELECT count(*) AS n FROM t')).toEqual({ n: 5_000_000 });
    await expect(duck.run('SELECT list(h) FROM t')).rejects.toMatchObject({ code: 'exhausted' });
  });

  it('stops a query under way on an abort, without blocking the event loop', async () => {
    const abort = new AbortController();
    await using duck = await openDuckDb({ tempDir: join(dir, 'abort'), signal: abort.signal });
    const endless = duck.run('SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)');
    setImmediate(() => abort.abort());
    await expect(endless).rejects.toMatchObject({ code: 'cancelled' });
    await expect(duck.run('SELECT 1')).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('stops what is under way when it is closed, and takes nothing more', async () => {
    const duck = await openDuckDb({ tempDir: join(dir, 'close') });
    const endless = duck.run('SELECT sum(a.i * b.i) FROM range(10000000) a(i), range(10000000) b(i)');
    const stopped = expect(endless).rejects.toMatchObject({ code: 'cancelled' });
    await duck.close();
    await stopped;
    await expect(duck.run('SELECT 1')).rejects.toMatchObject({ code: 'cancelled' });
    await duck.close();
  });

  it('reads quoted names and values back as they were', async () => {
    await using duck = await openDuckDb({ tempDir: join(dir, 'quote') });
    const odd = `a"b'; DROP TABLE x; --\n\\`;
    expect(await duck.row(`SELECT ${quoteText(odd)} AS ${quoteIdentifier(odd)}`)).toEqual({ [odd]: odd });
    for (const value of [0.1, -0, 1e-300, -1.7976931348623157e308, 5e-324, 123456789.123]) {
      expect((await duck.row(`SELECT ${quoteNumber(value)} AS v`)).v).toBe(value);
    }
    expect(() => quoteText('a\0b')).toThrow(/NUL/);
  });
});
