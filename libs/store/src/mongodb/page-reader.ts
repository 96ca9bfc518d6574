import type { Collection as MongoCollection, Sort } from 'mongodb';
import type { PageEnd } from '../cursor.ts';
import type { IndexedValue } from '../indexes.ts';
import type { CheckedQuery } from '../query.ts';
import { byCodePoint } from '../text-order.ts';
import { filterQuery, type RecordFilter } from './filter-query.ts';
import { type DocumentRecord, pathOf, valueAt } from './layout.ts';

/** What is read of a document for the caller. */
export interface ReadRecord {
  readonly key: string;
  readonly version: number;
  readonly json: string;
}

/** A document in the order of a query. */
export interface PlacedRecord extends ReadRecord {
  readonly value: IndexedValue | null;
}

export const live: RecordFilter = { document: { $exists: true } };

const toRead = ({ _id, version, document = '' }: DocumentRecord): ReadRecord => ({
  key: _id,
  version,
  json: document,
});

export const readProjection = { version: 1, document: 1 } as const;

export const readByKeys = async (
  documents: MongoCollection<DocumentRecord>,
  keys: readonly string[],
): Promise<ReadonlyMap<string, ReadRecord>> => {
  const found = await documents
    .find({ _id: { $in: [...keys] }, ...live }, { projection: readProjection })
    .toArray();
  return new Map(found.map((record) => [record._id, toRead(record)]));
};

const compareValues = (one: IndexedValue, other: IndexedValue): number =>
  typeof one === 'string' ? byCodePoint(one, String(other)) : one - Number(other);

/** The query reduced to one stretch of its order, each of which one index delivers. */
class PageReader {
  readonly #documents: MongoCollection<DocumentRecord>;
  readonly #path: string;
  readonly #filter: RecordFilter;
  readonly #query: CheckedQuery;

  constructor(documents: MongoCollection<DocumentRecord>, query: CheckedQuery) {
    this.#documents = documents;
    this.#path = pathOf(query.sort.field);
    this.#filter = filterQuery(query.filter);
    this.#query = query;
  }

  async read(limit: number, after: PageEnd | undefined): Promise<readonly PlacedRecord[]> {
    const places: PlacedRecord[] = [];
    for (const stretch of this.#stretches(after)) {
      if (places.length === limit) break;
      places.push(...(await stretch(limit - places.length)));
    }
    return places;
  }

  /** The ties of the last page's end, the values beyond it, and the documents without a value. */
  #stretches(after: PageEnd | undefined): readonly ((limit: number) => Promise<readonly PlacedRecord[]>)[] {
    const { field, direction } = this.#query.sort;
    const beyond = direction === 'asc' ? '$gt' : '$lt';
    if (field.kind === 'key') {
      const where = after === undefined ? {} : { _id: { [beyond]: after.key } };
      return [(limit) => this.#find(where, { _id: direction }, limit)];
    }
    const missing = (limit: number) =>
      this.#find(
        { [this.#path]: { $exists: false }, ...(after?.value === null ? { _id: { $gt: after.key } } : {}) },
        { _id: 1 },
        limit,
      );
    if (after === undefined) {
      const least = field.type === 'text' ? '' : Number.NEGATIVE_INFINITY;
      return [(limit) => this.#valued({ $gte: least }, limit), missing];
    }
    const { value, key } = after;
    if (value === null) return [missing];
    return [
      (limit) => this.#ties(value, limit, key),
      (limit) => this.#valued({ [beyond]: value }, limit),
      missing,
    ];
  }

  /**
   * In the order of values, then keys. Sorted by the value alone, which the index of values delivers in both
   * directions, for fields and entries alike; only the ties at the end of the page need another look.
   */
  async #valued(range: object, limit: number): Promise<readonly PlacedRecord[]> {
    const { direction } = this.#query.sort;
    const found = await this.#find({ [this.#path]: range }, { [this.#path]: direction }, limit);
    const last = found.at(-1)?.value;
    const cut = found.length === limit && last !== undefined && last !== null;
    const whole = cut ? found.filter(({ value }) => value !== last) : [...found];
    const sign = direction === 'asc' ? 1 : -1;
    whole.sort(
      (one, other) =>
        sign * compareValues(one.value ?? 0, other.value ?? 0) || byCodePoint(one.key, other.key),
    );
    return cut ? [...whole, ...(await this.#ties(last, limit - whole.length))] : whole;
  }

  #ties(value: IndexedValue, limit: number, after?: string): Promise<readonly PlacedRecord[]> {
    const beyond = after === undefined ? {} : { _id: { $gt: after } };
    return this.#find({ [this.#path]: { $eq: value }, ...beyond }, { _id: 1 }, limit);
  }

  async #find(where: RecordFilter, sort: Sort, limit: number): Promise<readonly PlacedRecord[]> {
    const projection = this.#path === '_id' ? readProjection : { ...readProjection, [this.#path]: 1 };
    const found = await this.#documents
      .find({ $and: [where, this.#filter, live] }, { projection })
      .sort(sort)
      .limit(limit)
      .toArray();
    return found.map((record) => ({
      ...toRead(record),
      value: this.#path === '_id' ? null : valueAt(record, this.#path),
    }));
  }
}

/** The first `limit` documents of the query after the end of the page before. */
export const readPage = (
  documents: MongoCollection<DocumentRecord>,
  query: CheckedQuery,
  limit: number,
  after: PageEnd | undefined,
): Promise<readonly PlacedRecord[]> => new PageReader(documents, query).read(limit, after);
