import { Invalid } from '@millrace/errors';

/** Throws `Invalid` naming the first key of `section` that is not known, and the known ones. */
export const rejectUnknownKeys = (
  section: Readonly<Record<string, unknown>>,
  known: readonly string[],
  path: string,
): void => {
  const unknown = Object.keys(section).find((key) => !known.includes(key));
  if (unknown !== undefined) {
    throw Invalid.field(`${path}.${unknown}`, 'is not a known key', {
      hint: known.length === 0 ? 'No keys are known here.' : `Known keys: ${known.join(', ')}.`,
    });
  }
};
