import type { PageEnd } from '../cursor.ts';
import type { IndexedValue } from '../indexes.ts';
import type { CheckedFilter, CheckedQuery, Field } from '../query.ts';
import type { Database, Parameter } from './database.ts';
import type { DocumentRow } from './document-table.ts';
import { filterSql, type Sql } from './filter-sql.ts';
import { documentTable, fieldColumn, mapTable } from './names.ts';

export interface SortedRow extends DocumentRow {
  readonly sort_value: IndexedValue | null;
}

/**
 * A stretch of the result that one index delivers in order: the rest of the ties of the last page's end, then
 * the values beyond it, then the documents without a value.
 */
interface Segment {
  readonly where: string;
  readonly parameters: readonly Parameter[];
  readonly order: string;
}

/** Where the documents of a segment, and their sort value, come from. */
interface Source {
  readonly from: string;
  readonly fromParameters: readonly Parameter[];
  readonly value: string;
  readonly segments: readonly Segment[];
}

const keySource = (from: string, direction: 'asc' | 'desc', after: PageEnd | undefined): Source => ({
  from,
  fromParameters: [],
  value: 'NULL',
  segments: [
    {
      where: after === undefined ? 'TRUE' : `d.key ${direction === 'asc' ? '>' : '<'} ?`,
      parameters: after === undefined ? [] : [after.key],
      order: `d.key ${direction}`,
    },
  ],
});

/** Documents that have a value, in its order. `value` and `key` are columns of one index. */
const presentSegments = (
  value: string,
  key: string,
  direction: 'asc' | 'desc',
  after: PageEnd | undefined,
): readonly Segment[] => {
  const order = `${value} ${direction}, ${key}`;
  if (after === undefined) return [{ where: `${value} IS NOT NULL`, parameters: [], order }];
  if (after.value === null) return [];
  return [
    { where: `${value} = ? AND ${key} > ?`, parameters: [after.value, after.key], order: key },
    { where: `${value} ${direction === 'asc' ? '>' : '<'} ?`, parameters: [after.value], order },
  ];
};

const missingSegment = (condition: string, parameters: readonly Parameter[], after?: PageEnd): Segment => {
  const resumed = after?.value === null;
  return {
    where: resumed ? `${condition} AND d.key > ?` : condition,
    parameters: resumed ? [...parameters, after.key] : parameters,
    order: 'd.key',
  };
};

const sources = (
  collection: string,
  { field, direction }: CheckedQuery['sort'],
  after: PageEnd | undefined,
): readonly Source[] => {
  const documents = `${documentTable(collection)} AS d`;
  if (field.kind === 'key') return [keySource(documents, direction, after)];
  if (field.kind === 'field') {
    const value = `d.${fieldColumn(field.index.path)}`;
    const segments = [
      ...presentSegments(value, 'd.key', direction, after),
      missingSegment(`${value} IS NULL`, [], after),
    ];
    return [{ from: documents, fromParameters: [], value, segments }];
  }
  return entrySources(collection, field, direction, after);
};

const entrySources = (
  collection: string,
  field: Extract<Field, { kind: 'entry' }>,
  direction: 'asc' | 'desc',
  after: PageEnd | undefined,
): readonly Source[] => {
  const documents = documentTable(collection);
  const entries = mapTable(collection, field.index.map);
  const missing = `NOT EXISTS (SELECT 1 FROM ${entries} AS e WHERE e.key = d.key AND e.name = ?)`;
  return [
    {
      from: `${entries} AS s JOIN ${documents} AS d ON d.key = s.key AND s.name = ?`,
      fromParameters: [field.name],
      value: 's.value',
      segments: presentSegments('s.value', 's.key', direction, after),
    },
    {
      from: `${documents} AS d`,
      fromParameters: [],
      value: 'NULL',
      segments: [missingSegment(missing, [field.name], after)],
    },
  ];
};

const statement = (source: Source, segment: Segment, filter: Sql): string =>
  `SELECT d.key, d.version, d.document, ${source.value} AS sort_value FROM ${source.from}
   WHERE ${segment.where} AND ${filter.text} ORDER BY ${segment.order} LIMIT ?`;

/** The first `limit` rows of the query after the end of the page before. */
export const readRows = (
  database: Database,
  collection: string,
  query: CheckedQuery,
  limit: number,
  after: PageEnd | undefined,
): readonly SortedRow[] => {
  const filter = filterSql(collection, query.filter);
  const rows: SortedRow[] = [];
  for (const source of sources(collection, query.sort, after)) {
    for (const segment of source.segments) {
      if (rows.length === limit) return rows;
      const parameters = [...source.fromParameters, ...segment.parameters, ...filter.parameters];
      const sql = statement(source, segment, filter);
      rows.push(...database.all<SortedRow>(sql, ...parameters, limit - rows.length));
    }
  }
  return rows;
};

export const countRows = (database: Database, collection: string, filter: CheckedFilter): number => {
  const { text, parameters } = filterSql(collection, filter);
  const sql = `SELECT count(*) AS rows FROM ${documentTable(collection)} AS d WHERE ${text}`;
  return database.get<{ rows: number }>(sql, ...parameters)?.rows ?? 0;
};
