import type { DuckDb } from '../duckdb.ts';
import { quoteIdentifier } from '../sql.ts';
import { ColumnType } from '../table.ts';
import { type TextForm, textForms } from '../text-forms.ts';
import type { PartColumn } from './combine.ts';

const probeRows = 2_000;

export interface TextColumnsOptions {
  readonly textColumns?: readonly string[];
}

/**
 * Finds the narrowest type that every value of each text column fits. A column without values has none yet.
 */
export const inferTextColumns = async (
  duck: DuckDb,
  table: string,
  names: readonly string[],
  options: TextColumnsOptions,
): Promise<PartColumn[]> => {
  const kept = new Set(options.textColumns ?? []);
  const counts = await countFitting(duck, table, names, () => 'true');
  let open = names.filter((name) => (counts.get(name) ?? 0) > 0 && !kept.has(name));
  const found = new Map<string, TextForm>();
  const probe = `(SELECT * FROM ${table} LIMIT ${probeRows})`;
  for (const form of textForms) {
    // Most columns fail on the first rows already, which spares them the pass over all.
    const likely = await fitting(duck, probe, open, form);
    for (const name of await fitting(duck, table, likely, form)) found.set(name, form);
    open = open.filter((name) => !found.has(name));
  }
  return names.map((name) => {
    const form = found.get(name);
    const column = quoteIdentifier(name);
    if (form !== undefined) return { name, type: form.type, sql: form.cast(column) };
    const empty = (counts.get(name) ?? 0) === 0 && !kept.has(name);
    return { name, type: empty ? undefined : ColumnType.string, sql: column };
  });
};

const fitting = async (
  duck: DuckDb,
  source: string,
  names: readonly string[],
  form: TextForm,
): Promise<string[]> => {
  if (names.length === 0) return [];
  const misfits = await countFitting(duck, source, names, (column) => `NOT ${form.fits(column)}`);
  return names.filter((name) => misfits.get(name) === 0);
};

const countFitting = async (
  duck: DuckDb,
  source: string,
  names: readonly string[],
  condition: (column: string) => string,
): Promise<Map<string, number>> => {
  const counts = names.map((name, index) => {
    const column = quoteIdentifier(name);
    return `count(${column}) FILTER (WHERE ${condition(column)}) AS c${index}`;
  });
  const row = await duck.row(`SELECT ${counts.join(', ')} FROM ${source}`);
  return new Map(names.map((name, index) => [name, Number(row[`c${index}`])]));
};
