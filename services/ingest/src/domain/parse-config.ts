import { Invalid } from '@millrace/errors';
import type { z } from 'zod';

/** Checks a section of the recipe against a schema; throws `Invalid` naming every wrong field below `path`. */
export const parseConfig = <T extends z.ZodType>(schema: T, value: unknown, path: string): z.infer<T> => {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const violations = result.error.issues.map((issue) => ({
    path: pathText(path, issue.path),
    message: issue.message,
  }));
  const [first] = violations;
  throw new Invalid(`${first?.path}: ${first?.message}`, { violations });
};

/** `steps.ingest.contract.columns.y.max`; the `value` of a rule is named by the rule. */
const pathText = (path: string, keys: readonly PropertyKey[]): string =>
  (keys.at(-1) === 'value' ? keys.slice(0, -1) : keys).reduce<string>(
    (parent, key) => (typeof key === 'number' ? `${parent}[${key}]` : `${parent}.${String(key)}`),
    path,
  );
