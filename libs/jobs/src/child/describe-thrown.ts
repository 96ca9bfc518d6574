import type { ErrorJson, MillraceError } from '@millrace/errors';
import type { ThrownDescription } from '../protocol.ts';

/** Longest message and stack that cross to the parent, in characters. */
const longest = 8_000;

/** Describes any thrown value so that it survives the way to the parent. */
export const describeThrown = (thrown: unknown): ThrownDescription => {
  if (!(thrown instanceof Error)) {
    return { name: 'thrown value', message: cut(String(thrown)), stack: '' };
  }
  const code = (thrown as { code?: unknown }).code;
  return {
    ...(isTaxonomy(thrown) ? { taxonomy: taxonomyOf(thrown) } : {}),
    name: thrown.name,
    message: cut(thrown.message),
    ...(typeof code === 'string' ? { code } : {}),
    stack: cut(thrown.stack ?? ''),
  };
};

const cut = (text: string): string => (text.length > longest ? `${text.slice(0, longest)}…` : text);

/** By shape: user code may bring a second copy of the class. */
const isTaxonomy = (error: Error): error is MillraceError =>
  Array.isArray((error as { violations?: unknown }).violations) &&
  typeof (error as { details?: unknown }).details === 'object';

/** By hand: to load what else errors can do would cost every child a tenth of its start. */
const taxonomyOf = ({ code, message, hint, violations, details }: MillraceError): ErrorJson => ({
  code,
  message,
  ...(hint === undefined ? {} : { hint }),
  violations,
  details,
});
