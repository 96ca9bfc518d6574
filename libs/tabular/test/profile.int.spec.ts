import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type DatasetProfile, loadFiles, profileRelation } from '../src/index.ts';
import { useSession } from './session.ts';

interface Reference {
  readonly rowCount: number;
  readonly columns: Record<string, ReferenceColumn>;
}

interface ReferenceColumn {
  readonly count: number;
  readonly missing: number;
  readonly distinct: number;
  readonly numeric?: {
    readonly min: number;
    readonly max: number;
    readonly mean: number;
    readonly std: number;
    readonly quantiles: Record<string, number>;
    readonly vigintiles: readonly number[];
  };
  readonly categorical?: unknown;
  readonly length?: unknown;
}

const reference = join(import.meta.dirname, 'reference');
const session = useSession();

const profileOf = async (csv: string | Uint8Array, table: string): Promise<DatasetProfile> => {
  const { duck, file } = session();
  const relation = await loadFiles(duck, { table, format: 'csv', files: [await file(`${table}.csv`, csv)] });
  return profileRelation(duck, relation);
};

/** Relative tolerance 1e-9: both sides compute in 64-bit floats, in different orders. */
const expectClose = (actual: number, expected: number) =>
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(expected)));

describe('a profile', () => {
  it('has the values that pandas and numpy compute', async () => {
    const expected: Reference = JSON.parse(await readFile(join(reference, 'profile-reference.json'), 'utf8'));
    const profile = await profileOf(await readFile(join(reference, 'profile-reference.csv')), 'reference');
    expect(profile.rowCount).toBe(expected.rowCount);
    expect(profile.columns.map(({ name }) => name)).toEqual(Object.keys(expected.columns));
    for (const column of profile.columns) {
      const other = expected.columns[column.name];
      if (other === undefined) throw new Error(`no reference of ${column.name}`);
      expect(column).toMatchObject({ count: other.count, missing: other.missing, distinct: other.distinct });
      expect(column.categorical).toEqual(other.categorical);
      expect(column.length).toEqual(other.length);
      expect(column.numeric === undefined).toBe(other.numeric === undefined);
      if (column.numeric === undefined || other.numeric === undefined) continue;
      for (const key of ['min', 'max', 'mean', 'std'] as const) {
        expectClose(column.numeric[key], other.numeric[key]);
      }
      for (const [probability, value] of Object.entries(column.numeric.quantiles)) {
        expectClose(value, other.numeric.quantiles[probability] ?? Number.NaN);
      }
      if (column.distinct <= 20) continue;
      const inner = [...new Set(other.numeric.vigintiles)].filter(
        (edge) => edge > column.numeric!.min && edge < column.numeric!.max,
      );
      expect(column.numeric.bins.edges).toHaveLength(inner.length + 2);
      for (const [index, edge] of inner.entries()) expectClose(column.numeric.bins.edges[index + 1]!, edge);
    }
  });

  it('counts every value in exactly one bin and samples only values that occur', async () => {
    const { columns } = await profileOf(await readFile(join(reference, 'profile-reference.csv')), 'bins');
    for (const { count, numeric } of columns) {
      if (numeric === undefined) continue;
      const { edges, counts } = numeric.bins;
      expect(edges).toHaveLength(counts.length + 1);
      expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
      expect([edges[0], edges.at(-1)]).toEqual([numeric.min, numeric.max]);
      expect(counts.reduce((sum, one) => sum + one, 0)).toBe(count);
      expect(numeric.sample).toHaveLength(Math.min(count, 2000));
      expect([...numeric.sample].sort((a, b) => a - b)).toEqual(numeric.sample);
    }
  });

  it('gives each of a few values a bin of its own', async () => {
    const { columns } = await profileOf('x\n0\n1\n1\n1\n', 'few');
    expect(columns[0]?.numeric?.bins).toEqual({ edges: [0, 0.5, 1], counts: [1, 3] });
  });

  it('is the same when made twice', async () => {
    const csv = await readFile(join(reference, 'profile-reference.csv'));
    expect(await profileOf(csv, 'once')).toEqual(await profileOf(csv, 'again'));
  });

  it('describes columns of one value, of none, and of enormous values', async () => {
    const { columns } = await profileOf('one,none,huge\n3,,-1.7e308\n3,,1.7e308\n3,,0\n', 'odd');
    expect(columns[0]?.numeric).toMatchObject({ std: 0, bins: { edges: [3, 3], counts: [3] } });
    expect(columns[1]).toMatchObject({ type: 'string', count: 0, missing: 3, distinct: 0 });
    expect(columns[1]?.categorical).toBeUndefined();
    expect(Number.isFinite(columns[2]?.numeric?.std)).toBe(true);
    expect(columns[2]?.numeric?.mean).toBe(0);
  });

  it('counts long texts as other values', async () => {
    const { columns } = await profileOf(`t\n${'x'.repeat(300)}\na\n`, 'long');
    expect(columns[0]?.categorical).toEqual({ top: [{ value: 'a', count: 1 }], other: 1 });
  });
});
