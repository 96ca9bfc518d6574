import { Invalid } from '@millrace/errors';

/** Longest JSON text of one document. Larger things are blobs; MongoDB would refuse documents over 16 MiB. */
export const MAX_DOCUMENT_LENGTH = 8 * 1024 * 1024;

/** Deepest nesting of objects and arrays; the limit of MongoDB. */
const MAX_DEPTH = 100;

interface Fault {
  readonly path: string;
  readonly reason: string;
}

const fault = (reason: string): Fault => ({ path: '', reason });

const within = (step: string, { path, reason }: Fault): Fault => ({ path: step + path, reason });

/** An object that JSON gives back as it was: a literal, not a `Date`, `Map` or class instance. */
export const isPlainObject = (value: unknown): value is Readonly<Record<string, unknown>> => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
};

const faultInArray = (array: readonly unknown[], depth: number): Fault | undefined => {
  for (let index = 0; index < array.length; index += 1) {
    const found = faultIn(array[index], depth);
    if (found !== undefined) return within(`[${index}]`, found);
  }
  return undefined;
};

const faultInObject = (object: Readonly<Record<string, unknown>>, depth: number): Fault | undefined => {
  for (const name of Object.keys(object)) {
    const value = object[name];
    if (value === undefined) continue;
    if (!name.isWellFormed()) return fault('a property name holds an unpaired surrogate');
    const found = faultIn(value, depth);
    if (found !== undefined) return within(`.${name}`, found);
  }
  return undefined;
};

const faultIn = (value: unknown, depth: number): Fault | undefined => {
  switch (typeof value) {
    case 'boolean':
      return undefined;
    case 'string':
      return value.isWellFormed() ? undefined : fault('the text holds an unpaired surrogate');
    case 'number':
      return Number.isFinite(value) ? undefined : fault(`${value} is not a JSON number`);
    case 'object':
      break;
    default:
      return fault(`a value of type ${typeof value} is not JSON`);
  }
  if (value === null) return undefined;
  if (depth >= MAX_DEPTH) return fault(`is nested deeper than ${MAX_DEPTH} levels`);
  if (Array.isArray(value)) return faultInArray(value, depth + 1);
  if (isPlainObject(value)) return faultInObject(value, depth + 1);
  return fault(`an instance of ${value.constructor.name} is not JSON`);
};

/**
 * The JSON text of a value that JSON gives back unchanged. A property that is `undefined` counts as absent.
 * Throws `Invalid` naming the path, which starts with `name`.
 */
export const encodeJson = (value: unknown, name: string): string => {
  const found = faultIn(value, 0);
  if (found !== undefined) throw Invalid.field(name + found.path, found.reason);
  return JSON.stringify(value);
};

/** The JSON text of a document. Throws `Invalid` on anything but an object that JSON can hold. */
export const encodeDocument = (document: unknown): string => {
  if (!isPlainObject(document)) throw Invalid.field('document', 'must be a plain object');
  const text = encodeJson(document, 'document');
  if (text.length <= MAX_DOCUMENT_LENGTH) return text;
  throw Invalid.field('document', `is ${text.length} characters of JSON, more than ${MAX_DOCUMENT_LENGTH}`, {
    hint: 'Keep large values as blobs and store their digests.',
  });
};
