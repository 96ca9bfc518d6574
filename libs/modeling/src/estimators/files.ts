import { Invalid } from '@millrace/errors';

/** Names and contents of a model's files. */
export type Files = ReadonlyMap<string, Uint8Array>;

/** JSON with keys in the order given, so that equal values are equal bytes. */
export const jsonFile = (value: unknown): Uint8Array =>
  new TextEncoder().encode(`${JSON.stringify(value)}\n`);

/** The parsed file of that name; throws `Invalid` when it is missing or no JSON. */
export const readJsonFile = <T>(files: Files, name: string): T => {
  const bytes = files.get(name);
  if (bytes === undefined) throw Invalid.field(name, 'the model package lacks this file');
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as T;
  } catch (cause) {
    throw Invalid.field(name, 'is not JSON', { cause });
  }
};
