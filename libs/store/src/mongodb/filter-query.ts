import type { Filter } from 'mongodb';
import type { CheckedFilter, Comparison } from '../query.ts';
import { endOfPrefix } from '../text-order.ts';
import { type DocumentRecord, pathOf } from './layout.ts';

export type RecordFilter = Filter<DocumentRecord>;

const operators: Record<Comparison, string> = {
  eq: '$eq',
  ne: '$ne',
  lt: '$lt',
  lte: '$lte',
  gt: '$gt',
  gte: '$gte',
};

type Condition = Exclude<CheckedFilter, { filters: unknown }>;

/** Values only ever stand behind an operator, so that none can be one. */
const conditionOf = (condition: Condition): Readonly<Record<string, unknown>> => {
  switch (condition.kind) {
    case 'in':
      return { $in: condition.values };
    case 'prefix': {
      const end = endOfPrefix(condition.value);
      return end === undefined ? { $gte: condition.value } : { $gte: condition.value, $lt: end };
    }
    case 'exists':
      return { $exists: condition.value };
    case 'ne':
      return { $exists: true, $ne: condition.value };
    default:
      return { [operators[condition.kind]]: condition.value };
  }
};

/** Compiles a checked filter. Comparisons of MongoDB hold only for values of the same type, as is wanted. */
export const filterQuery = (filter: CheckedFilter): RecordFilter => {
  if (!('filters' in filter)) return { [pathOf(filter.field)]: conditionOf(filter) };
  // MongoDB wants at least one part.
  if (filter.filters.length === 0) return filter.kind === 'and' ? {} : { _id: { $in: [] } };
  const parts = filter.filters.map(filterQuery);
  return filter.kind === 'and' ? { $and: parts } : { $or: parts };
};
