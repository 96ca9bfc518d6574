import { Invalid } from '@millrace/errors';
import { asIndexed, type FieldIndex, type IndexedValue, type Indexes, type MapIndex } from './indexes.ts';
import type { FieldRef, Filter, Query, Scalar } from './port.ts';

/** A field reference resolved against the declared indexes. */
export type Field =
  | { readonly kind: 'key'; readonly type: 'text' }
  | { readonly kind: 'field'; readonly type: FieldIndex['type']; readonly index: FieldIndex }
  | {
      readonly kind: 'entry';
      readonly type: MapIndex['type'];
      readonly index: MapIndex;
      readonly name: string;
    };

export type Comparison = 'eq' | 'ne' | 'lt' | 'lte' | 'gt' | 'gte';

/** A filter whose fields are declared and whose values have the fields' types. */
export type CheckedFilter =
  | { readonly kind: 'and' | 'or'; readonly filters: readonly CheckedFilter[] }
  | { readonly kind: Comparison; readonly field: Field; readonly value: IndexedValue }
  | { readonly kind: 'in'; readonly field: Field; readonly values: readonly IndexedValue[] }
  | { readonly kind: 'prefix'; readonly field: Field; readonly value: string }
  | { readonly kind: 'exists'; readonly field: Field; readonly value: boolean };

export interface CheckedQuery {
  readonly filter: CheckedFilter;
  readonly sort: { readonly field: Field; readonly direction: 'asc' | 'desc' };
  readonly limit: number;
}

export const MAX_PAGE = 1000;
const DEFAULT_PAGE = 100;
const MAX_FILTER_DEPTH = 16;
const MAX_FILTER_CONDITIONS = 200;
const MAX_IN_VALUES = 1000;

const everything: CheckedFilter = { kind: 'and', filters: [] };
const comparisons: readonly string[] = ['eq', 'ne', 'lt', 'lte', 'gt', 'gte'] satisfies Comparison[];

/** Throws `Invalid` when `ref` is not declared; `path` says where in the query it stands. */
const resolveField = (indexes: Indexes, ref: FieldRef, path: string): Field => {
  if (ref === '$key') return { kind: 'key', type: 'text' };
  if (typeof ref === 'string') {
    const index = indexes.fields.find((candidate) => candidate.path === ref);
    if (index !== undefined) return { kind: 'field', type: index.type, index };
  } else if (Array.isArray(ref) && ref.length === 2 && typeof ref[1] === 'string') {
    const index = indexes.maps.find((candidate) => candidate.map === ref[0]);
    if (index !== undefined) return { kind: 'entry', type: index.type, index, name: ref[1] };
  }
  const known = [...indexes.fields.map((field) => field.path), ...indexes.maps.map(({ map }) => `${map}[…]`)];
  throw Invalid.field(path, `${JSON.stringify(ref)} is not a searchable field`, {
    hint: `Searchable: ${['$key', ...known].join(', ')}.`,
  });
};

const checkValue = (field: Field, value: Scalar, path: string): IndexedValue => {
  const checked = asIndexed(value, field.type);
  const valid = typeof checked === 'string' ? checked.isWellFormed() : Number.isFinite(checked);
  if (checked === undefined || !valid) throw Invalid.field(path, `must be a ${field.type}`);
  return checked;
};

const checkCondition = (
  indexes: Indexes,
  filter: Exclude<Filter, { and: unknown } | { or: unknown }>,
  path: string,
): CheckedFilter => {
  const field = resolveField(indexes, filter.field, `${path}.field`);
  const { op, value } = filter;
  const valuePath = `${path}.value`;
  if (op === 'in') {
    if (!Array.isArray(value) || value.length > MAX_IN_VALUES) {
      throw Invalid.field(valuePath, `must be a list of at most ${MAX_IN_VALUES} values`);
    }
    const values = value.map((item, position) => checkValue(field, item, `${valuePath}[${position}]`));
    return { kind: 'in', field, values };
  }
  if (op === 'prefix') {
    if (field.type !== 'text') throw Invalid.field(`${path}.op`, 'prefix needs a text field');
    return { kind: 'prefix', field, value: checkValue(field, value, valuePath) as string };
  }
  if (op === 'exists') {
    if (typeof value !== 'boolean') throw Invalid.field(valuePath, 'must be true or false');
    return { kind: 'exists', field, value };
  }
  if (!comparisons.includes(op))
    throw Invalid.field(`${path}.op`, `${JSON.stringify(op)} is not an operator`);
  return { kind: op, field, value: checkValue(field, value, valuePath) };
};

/** Checks a filter that may come from outside, in shape, fields and values. Throws `Invalid`. */
export const checkFilter = (indexes: Indexes, filter: Filter | undefined): CheckedFilter => {
  let conditions = 0;
  const check = (part: Filter, path: string, depth: number): CheckedFilter => {
    if (typeof part !== 'object' || part === null) throw Invalid.field(path, 'must be an object');
    conditions += 1;
    if (depth > MAX_FILTER_DEPTH || conditions > MAX_FILTER_CONDITIONS) {
      throw Invalid.field(
        path,
        `more than ${MAX_FILTER_DEPTH} levels or ${MAX_FILTER_CONDITIONS} conditions in the filter`,
      );
    }
    const kind = 'and' in part ? 'and' : 'or' in part ? 'or' : undefined;
    if (kind === undefined) return checkCondition(indexes, part as never, path);
    const parts = (part as Record<string, unknown>)[kind];
    if (!Array.isArray(parts)) throw Invalid.field(`${path}.${kind}`, 'must be a list of filters');
    return {
      kind,
      filters: parts.map((inner, position) => check(inner, `${path}.${kind}[${position}]`, depth + 1)),
    };
  };
  return filter === undefined ? everything : check(filter, 'filter', 1);
};

const checkDirection = (direction: unknown): 'asc' | 'desc' => {
  if (direction === 'asc' || direction === 'desc') return direction;
  throw Invalid.field('sort.direction', 'must be asc or desc');
};

/** Throws `Invalid` unless `limit` is a whole number from 1 to `maximum`. */
export const checkLimit = (limit: unknown, maximum: number): number => {
  if (Number.isInteger(limit) && Number(limit) >= 1 && Number(limit) <= maximum) return Number(limit);
  throw Invalid.field('limit', `must be a whole number from 1 to ${maximum}`);
};

/** Checks everything of a query but its cursor (see `cursor.ts`). */
export const checkQuery = (indexes: Indexes, query: Query): CheckedQuery => ({
  filter: checkFilter(indexes, query.filter),
  sort:
    query.sort === undefined
      ? { field: { kind: 'key', type: 'text' }, direction: 'asc' }
      : {
          field: resolveField(indexes, query.sort.field, 'sort.field'),
          direction: checkDirection(query.sort.direction),
        },
  limit: checkLimit(query.limit ?? DEFAULT_PAGE, MAX_PAGE),
});
