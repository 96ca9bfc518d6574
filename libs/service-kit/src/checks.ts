import type { PageRequest } from '@millrace/contracts/common';
import { Invalid } from '@millrace/errors';

/** The text, or `Invalid` naming the field when it is empty. */
export const requireText = (path: string, value: string): string => {
  if (value === '') throw Invalid.field(path, 'is required');
  return value;
};

/** The message, or `Invalid` naming the field when it is absent. */
export const requireMessage = <T>(path: string, value: T | undefined): T => {
  if (value === undefined) throw Invalid.field(path, 'is required');
  return value;
};

const nameGrammar = /^[a-z0-9][a-z0-9._-]{0,127}$/;

/** A name of a model, endpoint, dataset, trigger: lower case, digits, `.`, `_` and `-`, up to 128 characters. */
export const requireName = (path: string, value: string): string => {
  requireText(path, value);
  if (!nameGrammar.test(value)) {
    throw Invalid.field(path, `"${value}" is not a name: use lower case letters, digits, ".", "_" and "-"`);
  }
  return value;
};

/** Limit and cursor for a store query; the default limit is 100, the most 1,000. */
export const pageQuery = (page: PageRequest | undefined): { limit: number; cursor?: string } => {
  const limit = page?.limit ?? 0;
  if (limit < 0 || limit > 1000) throw Invalid.field('page.limit', 'must be 1 to 1000');
  return {
    limit: limit === 0 ? 100 : limit,
    ...(page === undefined || page.cursor === '' ? {} : { cursor: page.cursor }),
  };
};
