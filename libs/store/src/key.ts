import { Invalid } from '@millrace/errors';

const MAX_KEY_LENGTH = 512;

// Control characters make keys that cannot be told apart in a log, and a NUL ends a string for some databases.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const controlCharacter = /[\u0000-\u001f\u007f]/;

/** Throws `Invalid` unless `name` is 1 to `maximum` characters, none a control character, all well formed. */
export const checkName = (name: unknown, field: string, maximum: number): string => {
  if (typeof name !== 'string') throw Invalid.field(field, 'must be a string');
  if (name === '') throw Invalid.field(field, 'must not be empty');
  if (name.length > maximum) {
    throw Invalid.field(field, `is ${name.length} characters long, more than ${maximum}`);
  }
  if (controlCharacter.test(name)) throw Invalid.field(field, 'holds a control character');
  if (!name.isWellFormed()) throw Invalid.field(field, 'holds an unpaired surrogate');
  return name;
};

/** Throws `Invalid` unless `key` can name a document. */
export const checkKey = (key: unknown, field = 'key'): string => checkName(key, field, MAX_KEY_LENGTH);
