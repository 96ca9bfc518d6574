import { createHash } from 'node:crypto';
import { Invalid } from '@millrace/errors';
import type { IndexedValue } from './indexes.ts';
import type { CheckedQuery } from './query.ts';

/** Where a page ended: the last document's sort value (`null` when it has none) and its key. */
export interface PageEnd {
  readonly value: IndexedValue | null;
  readonly key: string;
}

const fingerprint = (collection: string, { filter, sort }: CheckedQuery): string =>
  createHash('sha256')
    .update(JSON.stringify([collection, filter, sort]))
    .digest('base64url')
    .slice(0, 16);

const parse = (cursor: unknown): unknown => {
  try {
    return JSON.parse(Buffer.from(String(cursor), 'base64url').toString());
  } catch {
    return undefined;
  }
};

/** An opaque text that `decodeCursor` accepts only with the same collection, filter and sort. */
export const encodeCursor = (collection: string, query: CheckedQuery, end: PageEnd): string =>
  Buffer.from(JSON.stringify([fingerprint(collection, query), end.value, end.key])).toString('base64url');

/** Throws `Invalid` on a text that is no cursor, or the cursor of another query. */
export const decodeCursor = (collection: string, query: CheckedQuery, cursor: string): PageEnd => {
  const parts = parse(cursor);
  if (!Array.isArray(parts) || parts.length !== 3) throw Invalid.field('cursor', 'is not a cursor');
  const [mark, value, key] = parts;
  if (mark !== fingerprint(collection, query)) {
    throw Invalid.field('cursor', 'belongs to another query', {
      hint: 'Give the filter and the sort of the page that returned it, or start without a cursor.',
    });
  }
  const fits = value === null || typeof value === (query.sort.field.type === 'text' ? 'string' : 'number');
  if (!fits || typeof key !== 'string') throw Invalid.field('cursor', 'is not a cursor');
  return { value, key };
};
