import type { PageEnd } from '../cursor.ts';
import type { IndexedValue } from '../indexes.ts';
import type { CheckedFilter, CheckedQuery, Field } from '../query.ts';
import type { Database, Parameter, Row } from './database.ts';
import { filterSql } from './filter-sql.ts';
import { documentTable, fieldColumn, mapTable } from './names.ts';

/** How far the order is followed in search of a filtered page: a multiple of the page, and at most. */
const WALK_FACTOR = 20;
const LONGEST_WALK = 5000;
/** How many places are tested at first, as a multiple of the page, and how many times more each time after. */
const WALK_STEP = 2;
const WALK_GROWTH = 4;

/** A document's place in the order. */
export interface Place extends Row {
  readonly key: string;
  readonly value: IndexedValue | null;
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

interface Reading {
  readonly database: Database;
  readonly collection: string;
}

interface Stretch {
  readonly source: Source;
  readonly segment: Segment;
}

const everything: CheckedFilter = { kind: 'and', filters: [] };

/** The first places of a stretch; SQLite chooses whether to follow the order or the index of the filter. */
const readStretch = (
  { database, collection }: Reading,
  { source, segment }: Stretch,
  filter: CheckedFilter,
  limit: number,
): readonly Place[] => {
  const { text, parameters } = filterSql(collection, filter, 'lookup');
  return database.all<Place>(
    `SELECT d.key, ${source.value} AS value FROM ${source.from}
     WHERE ${segment.where} AND ${text} ORDER BY ${segment.order} LIMIT ?`,
    ...source.fromParameters,
    ...segment.parameters,
    ...parameters,
    limit,
  );
};

/** Those of the places whose documents pass the filter. */
const passing = (
  { database, collection }: Reading,
  places: readonly Place[],
  filter: CheckedFilter,
): readonly Place[] => {
  const { text, parameters } = filterSql(collection, filter, 'probe');
  const rows = database.all<{ key: string }>(
    `SELECT d.key FROM json_each(?) AS place CROSS JOIN ${documentTable(collection)} AS d
     WHERE d.key = place.value AND ${text}`,
    JSON.stringify(places.map(({ key }) => key)),
    ...parameters,
  );
  const keys = new Set(rows.map(({ key }) => key));
  return places.filter(({ key }) => keys.has(key));
};

/**
 * Follows the order for a bounded stretch and tests document by document: quick for a filter that many pass,
 * where its index would make SQLite gather and sort them all for each page. `undefined` when the page is not
 * full by then.
 */
const walk = (
  reading: Reading,
  stretch: Stretch,
  filter: CheckedFilter,
  limit: number,
): readonly Place[] | undefined => {
  const longest = Math.min(limit * WALK_FACTOR, LONGEST_WALK);
  const walked = readStretch(reading, stretch, everything, longest);
  const found: Place[] = [];
  let start = 0;
  for (let step = limit * WALK_STEP; start < walked.length && found.length < limit; step *= WALK_GROWTH) {
    found.push(...passing(reading, walked.slice(start, start + step), filter));
    start += step;
  }
  return found.length >= limit || walked.length < longest ? found.slice(0, limit) : undefined;
};

const isUnfiltered = (filter: CheckedFilter): boolean => filter.kind === 'and' && filter.filters.length === 0;

/** The first `limit` places of the query after the end of the page before. */
export const readPlaces = (
  database: Database,
  collection: string,
  { filter, sort }: CheckedQuery,
  limit: number,
  after: PageEnd | undefined,
): readonly Place[] => {
  const reading = { database, collection };
  const places: Place[] = [];
  for (const source of sources(collection, sort, after)) {
    for (const segment of source.segments) {
      if (places.length === limit) return places;
      const rest = limit - places.length;
      const stretch = { source, segment };
      const walked = isUnfiltered(filter) ? undefined : walk(reading, stretch, filter, rest);
      places.push(...(walked ?? readStretch(reading, stretch, filter, rest)));
    }
  }
  return places;
};

export const countRows = (database: Database, collection: string, filter: CheckedFilter): number => {
  const { text, parameters } = filterSql(collection, filter, 'lookup');
  const sql = `SELECT count(*) AS rows FROM ${documentTable(collection)} AS d WHERE ${text}`;
  return database.get<{ rows: number }>(sql, ...parameters)?.rows ?? 0;
};
