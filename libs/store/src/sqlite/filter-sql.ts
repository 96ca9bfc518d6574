import type { CheckedFilter, Comparison, Field } from '../query.ts';
import { endOfPrefix } from '../text-order.ts';
import type { Parameter } from './database.ts';
import { fieldColumn, mapTable } from './names.ts';

/** A piece of SQL with the values of its placeholders. */
export interface Sql {
  readonly text: string;
  readonly parameters: readonly Parameter[];
}

const operators: Record<Comparison, string> = { eq: '=', ne: '<>', lt: '<', lte: '<=', gt: '>', gte: '>=' };

type Condition = Exclude<CheckedFilter, { filters: unknown }>;

const prefixSql = (column: string, prefix: string): Sql => {
  const end = endOfPrefix(prefix);
  return end === undefined
    ? { text: `${column} >= ?`, parameters: [prefix] }
    : { text: `${column} >= ? AND ${column} < ?`, parameters: [prefix, end] };
};

const conditionOn = (column: string, condition: Condition): Sql => {
  switch (condition.kind) {
    case 'in':
      // One statement for lists of every length.
      return {
        text: `${column} IN (SELECT value FROM json_each(?))`,
        parameters: [JSON.stringify(condition.values)],
      };
    case 'prefix':
      return prefixSql(column, condition.value);
    case 'exists':
      return { text: `${column} IS ${condition.value ? 'NOT NULL' : 'NULL'}`, parameters: [] };
    default:
      return { text: `${column} ${operators[condition.kind]} ?`, parameters: [condition.value] };
  }
};

/**
 * How entries of maps are tested: `lookup` gathers all keys that fit from the map's index, good when few do;
 * `probe` looks at the entry of one document at a time, good when the documents at hand are few.
 */
export type EntryTest = 'lookup' | 'probe';

const conditionOnEntry = (
  collection: string,
  field: Extract<Field, { kind: 'entry' }>,
  condition: Condition,
  test: EntryTest,
): Sql => {
  const entries = `SELECT e.key FROM ${mapTable(collection, field.index.map)} AS e WHERE e.name = ?`;
  const absent = condition.kind === 'exists' && !condition.value;
  // The plus withholds the index of values from a probe, which is to go by the entry's key.
  const value = test === 'lookup' ? 'e.value' : '+e.value';
  const { text, parameters } =
    condition.kind === 'exists' ? { text: 'TRUE', parameters: [] } : conditionOn(value, condition);
  return {
    text:
      test === 'lookup'
        ? `d.key ${absent ? 'NOT IN' : 'IN'} (${entries} AND ${text})`
        : `${absent ? 'NOT EXISTS' : 'EXISTS'} (${entries} AND e.key = d.key AND ${text})`,
    parameters: [field.name, ...parameters],
  };
};

/** Compiles a filter over the documents' table, named `d`. Values go into parameters only. */
export const filterSql = (collection: string, filter: CheckedFilter, test: EntryTest): Sql => {
  if ('filters' in filter) {
    if (filter.filters.length === 0)
      return { text: filter.kind === 'and' ? 'TRUE' : 'FALSE', parameters: [] };
    const parts = filter.filters.map((part) => filterSql(collection, part, test));
    return {
      text: `(${parts.map(({ text }) => text).join(filter.kind === 'and' ? ' AND ' : ' OR ')})`,
      parameters: parts.flatMap(({ parameters }) => parameters),
    };
  }
  const { field } = filter;
  if (field.kind === 'entry') return conditionOnEntry(collection, field, filter, test);
  const { text, parameters } = conditionOn(
    field.kind === 'key' ? 'd.key' : `d.${fieldColumn(field.index.path)}`,
    filter,
  );
  return { text: `(${text})`, parameters };
};
