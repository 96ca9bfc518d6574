import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadFiles, openDuckDb } from '@millrace/tabular';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { applyContract } from '../src/application/apply-contract.ts';
import { parseIngestConfig } from '../src/domain/ingest-config.ts';

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'millrace-contract-'));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

const now = Date.UTC(2013, 6, 1);

const lines = [
  'id,delay,carrier,zip,at,late',
  '1,5,UA,01234,2013-06-30,0',
  '2,900,UA,02345,2013-06-29,1',
  '3,,AA,03456,2013-06-28,0',
  '3,x,??,4567,2013-06-27,2',
  '5,-20,,05678,2013-06-26,1',
];

/** Applies a contract to the lines; what is kept and set aside comes as rows. */
const apply = async (contract: unknown, csv = lines) => {
  const config = parseIngestConfig({ using: 'csv', location: 'x', dataset: 'd', contract });
  await writeFile(join(dir, 'data.csv'), `${csv.join('\n')}\n`);
  await using duck = await openDuckDb({ tempDir: join(dir, 'duck'), allowedDirectories: [dir] });
  const textColumns = Object.keys(config.contract.columns).filter((name) => name === 'zip');
  const read = await loadFiles(duck, {
    table: 'read',
    format: 'csv',
    files: [{ path: join(dir, 'data.csv'), label: 'data.csv' }],
    csv: { textColumns },
  });
  const checked = await applyContract(duck, read, config.contract, now);
  return {
    ...checked,
    rows: await duck.rows(`SELECT * FROM ${checked.kept.source}`),
    quarantined: await duck.rows(checked.quarantine),
  };
};

const found = (findings: readonly { rule: string; violations: number; onViolation: string }[]) =>
  Object.fromEntries(
    findings.map(({ rule, violations, onViolation }) => [rule, `${violations} ${onViolation}`]),
  );

describe('a data contract', () => {
  it('counts the rows that break each rule, with examples', async () => {
    const { findings, rows } = await apply({
      on_violation: 'warn',
      columns: {
        id: { unique: true },
        delay: { type: 'number', nullable: false, min: -10, max: 600 },
        carrier: { allowed: ['UA', 'AA'], pattern: '[A-Z]{2}' },
        zip: { type: 'string', pattern: '\\d{5}' },
        at: { min: '2013-06-27T00:00:00Z' },
        late: { type: 'boolean' },
      },
      constraints: [{ name: 'late_means_delay', expression: 'not late or delay > 0' }],
    });
    expect(found(findings)).toEqual({
      'columns.id.unique': '1 warn',
      'columns.delay.type': '1 warn',
      'columns.delay.nullable': '1 warn',
      'columns.delay.min': '1 warn',
      'columns.delay.max': '1 warn',
      'columns.carrier.allowed': '1 warn',
      'columns.carrier.pattern': '1 warn',
      'columns.zip.pattern': '1 warn',
      'columns.at.min': '1 warn',
      'columns.late.type': '1 warn',
      'constraints.late_means_delay': '1 warn',
    });
    expect(rows).toHaveLength(5);
    expect(findings.find(({ rule }) => rule === 'columns.delay.max')).toMatchObject({
      examples: ['900'],
      message: '1 of 5 rows have "delay" above 600, for instance 900',
    });
    expect(findings.at(-1)?.examples).toEqual(['late=true, delay=-20.0']);
  });

  it('sets rows aside with the rules that they break, as they were read', async () => {
    const { quarantined, rows, quarantinedRows, kept } = await apply({
      columns: {
        id: { unique: { value: true, on_violation: 'quarantine' } },
        delay: { type: 'number', max: { value: 600, on_violation: 'warn' }, on_violation: 'quarantine' },
      },
    });
    expect(quarantinedRows).toBe(1);
    expect(quarantined).toMatchObject([
      { id: 3, delay: 'x', violated_rules: 'columns.id.unique; columns.delay.type' },
    ]);
    expect(rows.map(({ delay }) => delay)).toEqual([5, 900, null, -20]);
    expect(kept.columns.find(({ name }) => name === 'delay')).toMatchObject({
      type: 'number',
      nullable: true,
    });
  });

  it('blocks unless told otherwise, on columns, row count and freshness too', async () => {
    const { findings } = await apply({
      columns: { tail: {}, seat: { required: false } },
      row_count: { min: 10, max: 3, on_violation: 'warn' },
      freshness: { column: 'at', max_age: '12h' },
    });
    expect(found(findings)).toEqual({
      'columns.tail.required': '1 block',
      'row_count.min': '1 warn',
      'row_count.max': '1 warn',
      freshness: '1 block',
    });
    const fresh = await apply({ freshness: { column: 'at', max_age: '2d' } });
    expect(fresh.findings).toEqual([]);
  });

  it('leaves data without rules as it is', async () => {
    const { rows, findings, quarantined } = await apply({});
    expect(rows).toHaveLength(5);
    expect([findings, quarantined]).toEqual([[], []]);
  });

  it('is not confused by names of columns', async () => {
    const odd = ['rowid,n,v0,"#row",violated_rules,"a""b"', '1,2,3,4,5,6', '1,2,3,4,5,7'];
    const { quarantined, rows } = await apply(
      { columns: { rowid: { unique: { value: true, on_violation: 'quarantine' } }, 'a"b': { min: 1 } } },
      odd,
    );
    expect(rows).toEqual([{ rowid: 1, n: 2, v0: 3, '#row': 4, violated_rules: 5, 'a"b': 6 }]);
    expect(quarantined[0]).toMatchObject({ rowid: 1, 'a"b': 7 });
    expect(Object.values(quarantined[0] ?? {}).at(-1)).toBe('columns.rowid.unique');
  });

  it.each<[string, unknown, RegExp]>([
    [
      'an unknown type',
      { columns: { id: { type: 'int' } } },
      /contract\.columns\.id\.type: Invalid option: expected one of "number"/,
    ],
    [
      'a bound for text',
      { columns: { carrier: { max: 3 } } },
      /carrier\.max: applies to number and integer and timestamp/,
    ],
    ['a text bound for numbers', { columns: { id: { max: 'x' } } }, /columns\.id: "x" is no integer/],
    [
      'a pattern for numbers',
      { columns: { id: { pattern: 'x' } } },
      /id\.pattern: applies to string columns/,
    ],
    [
      'a broken pattern',
      { columns: { carrier: { pattern: '(' } } },
      /columns\.carrier\.pattern: \( is no regular expression/,
    ],
    [
      'a broken expression',
      { constraints: [{ expression: 'id >' }] },
      /constraints\[0\]\.expression: expected a value/,
    ],
    ['an unknown column', { constraints: [{ expression: 'idd > 1' }] }, /unknown column "idd" at position 1/],
    [
      'quarantine of a row count',
      { row_count: { min: 1, on_violation: 'quarantine' } },
      /must be block or warn/,
    ],
    [
      'a freshness that is no time',
      { freshness: { column: 'id', max_age: '1d' } },
      /"id" is integer, but must be a timestamp/,
    ],
    [
      'an age that is no duration',
      { freshness: { column: 'at', max_age: 'soon' } },
      /"soon" is not a duration/,
    ],
  ])('is refused with %s', async (_, contract, message) => {
    await expect(apply(contract)).rejects.toMatchObject({
      code: 'invalid',
      message: expect.stringMatching(message),
    });
  });
});
