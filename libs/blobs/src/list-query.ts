import { Invalid } from '@millrace/errors';
import { isDigest } from './digest.ts';
import type { BlobPage, ListedBlob, ListQuery } from './port.ts';

export interface ResolvedListQuery {
  /** Leading hexadecimal digits, possibly none. */
  readonly hexPrefix: string;
  /** Hexadecimal digits of the last blob already given, or `''`. */
  readonly afterHex: string;
  readonly limit: number;
}

const scheme = 'sha256:';

/** Validates a list query once for every adapter. @throws Invalid naming the field. */
export const resolveListQuery = ({ prefix = '', cursor = '', limit = 100 }: ListQuery): ResolvedListQuery => {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw Invalid.field('limit', 'must be a whole number from 1 to 1000');
  }
  if (cursor !== '' && !isDigest(cursor)) throw Invalid.field('cursor', 'is not a cursor that list returned');
  if (!/^sha256:[0-9a-f]{0,64}$/.test(prefix) && !scheme.startsWith(prefix)) {
    throw Invalid.field('prefix', 'must be the beginning of a digest, such as "sha256:ab"');
  }
  return { hexPrefix: prefix.slice(scheme.length), afterHex: cursor.slice(scheme.length), limit };
};

/** A page of blobs that come in order. */
export const firstPage = async (blobs: AsyncIterable<ListedBlob>, limit: number): Promise<BlobPage> => {
  const items: ListedBlob[] = [];
  for await (const blob of blobs) {
    if (items.length === limit) {
      const last = items.at(-1);
      return { items, ...(last === undefined ? {} : { nextCursor: last.digest }) };
    }
    items.push(blob);
  }
  return { items };
};
