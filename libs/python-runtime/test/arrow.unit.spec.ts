import type { Table } from '@millrace/tabular';
import { expect, it } from 'vitest';
import { arrowToTable, tableToArrow } from '../src/worker/arrow.ts';

it('a table survives the way through Arrow, missing values and times included', () => {
  const table: Table = {
    rowCount: 3,
    columns: [
      { name: 'number', type: 'number', values: [1.5, null, -1e300] },
      { name: 'integer', type: 'integer', values: [2 ** 53 - 1, null, -7] },
      { name: 'flag', type: 'boolean', values: [true, false, null] },
      { name: 'text', type: 'string', values: ['ä', '', null] },
      { name: 'at', type: 'timestamp', values: [1_764_000_000_123, null, -1] },
    ],
  };
  expect(arrowToTable(tableToArrow(table))).toEqual(table);
});

it('a table without rows or with nothing but missing values keeps its columns', () => {
  const table: Table = { rowCount: 0, columns: [{ name: 'a', type: 'string', values: [] }] };
  expect(arrowToTable(tableToArrow(table))).toEqual(table);
  const empty: Table = { rowCount: 2, columns: [{ name: 'a', type: 'number', values: [null, null] }] };
  expect(arrowToTable(tableToArrow(empty))).toEqual(empty);
});
