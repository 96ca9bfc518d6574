import { createHash } from 'node:crypto';
import { Invalid } from '@millrace/errors';

/** Name of a blob: `sha256:` and the 64 lower-case hexadecimal digits of its content's SHA-256. */
export type Digest = `sha256:${string}`;

const grammar = /^sha256:[0-9a-f]{64}$/;

export const isDigest = (text: string): text is Digest => grammar.test(text);

/**
 * Checks a digest that comes from outside. `path` names the field in the error.
 * @throws Invalid when it is not `sha256:` and 64 lower-case hexadecimal digits.
 */
export const parseDigest = (text: string, path = 'digest'): Digest => {
  if (typeof text === 'string' && isDigest(text)) return text;
  throw Invalid.field(path, 'must be "sha256:" followed by 64 lower-case hexadecimal digits');
};

/** Digest of bytes already in memory. */
export const digestOf = (bytes: Uint8Array | string): Digest =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
