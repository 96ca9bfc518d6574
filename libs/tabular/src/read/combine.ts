import { Invalid } from '@millrace/errors';
import { storageType } from '../column-types.ts';
import type { DuckDb } from '../duckdb.ts';
import { type Relation, relationOf } from '../relation.ts';
import { quoteIdentifier } from '../sql.ts';
import { ColumnType } from '../table.ts';
import { requireDistinct } from './csv-dialect.ts';

/** One file, readable by the session. */
export interface FilePart {
  readonly label: string;
  /** For a `FROM` clause. */
  readonly source: string;
  readonly columns: readonly PartColumn[];
}

export interface PartColumn {
  readonly name: string;
  /** `undefined` when the file holds no value for it. */
  readonly type: ColumnType | undefined;
  /** Its value in storage type. */
  readonly sql: string;
}

/**
 * Joins files by column name into the table `name`, in the order of the files and of the first file's columns.
 * Throws `Invalid` naming file and column where one lacks or adds a column, or has another type.
 */
export const combine = async (duck: DuckDb, name: string, parts: readonly FilePart[]): Promise<Relation> => {
  const [first, ...others] = parts;
  if (first === undefined) throw new Invalid('there is no file to read');
  for (const part of parts)
    requireDistinct(
      part.columns.map((column) => column.name),
      part.label,
    );
  for (const other of others) requireSameColumns(first, other);
  const columns = first.columns.map((column) => ({
    name: column.name,
    type: commonType(column.name, parts),
  }));
  const selects = parts.map((part) => {
    const byName = new Map(part.columns.map((column) => [column.name, column]));
    const list = columns.map((column) => {
      const sql = byName.get(column.name)?.sql ?? 'NULL';
      return `(${sql})::${storageType[column.type]} AS ${quoteIdentifier(column.name)}`;
    });
    return `SELECT ${list.join(', ')} FROM ${part.source}`;
  });
  const table = quoteIdentifier(name);
  await duck.run(`CREATE OR REPLACE TEMP TABLE ${table} AS ${selects.join(' UNION ALL ')}`);
  const relation = await relationOf(duck, table, columns);
  if (relation.rowCount === 0) {
    throw Invalid.field(parts.map(({ label }) => label).join(', '), 'there are columns but no rows', {
      hint: 'Give at least one row of data.',
    });
  }
  return relation;
};

const requireSameColumns = (first: FilePart, other: FilePart): void => {
  const wanted = new Set(first.columns.map(({ name }) => name));
  const found = new Set(other.columns.map(({ name }) => name));
  const hint = 'Files of one dataset have the same columns; ingest the others as a dataset of their own.';
  for (const name of wanted) {
    if (found.has(name)) continue;
    throw Invalid.field(other.label, `column "${name}" of ${first.label} is missing`, { hint });
  }
  for (const name of found) {
    if (wanted.has(name)) continue;
    throw Invalid.field(other.label, `column "${name}" is not in ${first.label}`, { hint });
  }
};

const commonType = (name: string, parts: readonly FilePart[]): ColumnType => {
  let common: { readonly type: ColumnType; readonly label: string } | undefined;
  for (const { label, columns } of parts) {
    const type = columns.find((column) => column.name === name)?.type;
    if (type === undefined) continue;
    const joint = common === undefined ? type : widen(common.type, type);
    if (joint === undefined) {
      throw Invalid.field(
        label,
        `column "${name}" holds ${type} values, but ${common?.type} values in ${common?.label}`,
        { hint: `Make the files agree, or declare the column as string in the data contract.` },
      );
    }
    common = { type: joint, label: common?.label ?? label };
  }
  return common?.type ?? ColumnType.string;
};

const widen = (one: ColumnType, other: ColumnType): ColumnType | undefined => {
  if (one === other) return one;
  const numeric = [one, other].every((type) => type === ColumnType.integer || type === ColumnType.number);
  return numeric ? ColumnType.number : undefined;
};
