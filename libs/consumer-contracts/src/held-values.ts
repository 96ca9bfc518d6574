/** Says of a value whether it is of the kind that a name in angle brackets stands for. */
const kinds: Readonly<Record<string, (value: unknown) => boolean>> = {
  '<any>': () => true,
  '<text>': (value) => typeof value === 'string' && value !== '',
  '<number>': (value) => typeof value === 'number',
  '<positive>': (value) => typeof value === 'number' && value > 0,
  '<digest>': (value) => typeof value === 'string' && /^sha256:[0-9a-f]{64}$/.test(value),
  '<time>': (value) => typeof value === 'string' && !Number.isNaN(Date.parse(value)),
};

/** Values at a path of a JSON message; `undefined` stands for a field that is not there. */
const valuesAt = (value: unknown, parts: readonly string[]): readonly unknown[] => {
  const [part, ...rest] = parts;
  if (part === undefined) return [value];
  if (typeof value !== 'object' || value === null) return [undefined];
  const fields = value as Readonly<Record<string, unknown>>;
  if (part === '*') return Object.values(fields).flatMap((item) => valuesAt(item, rest));
  if (!part.endsWith('[]')) return valuesAt(fields[part], rest);
  const items = fields[part.slice(0, -2)];
  return Array.isArray(items) ? items.flatMap((item) => valuesAt(item, rest)) : [undefined];
};

/** Fields of a JSON message that do not hold what a consumer reads there, in words. */
export const unmetReads = (
  message: unknown,
  reads: Readonly<Record<string, string | number | boolean>>,
): readonly string[] =>
  Object.entries(reads).flatMap(([path, expected]) => {
    const values = valuesAt(message, path.split('.'));
    const holds = kinds[String(expected)] ?? ((value: unknown) => value === expected);
    if (values.length === 0) return [`${path} is empty, expected ${expected}`];
    const wrong = values.filter((value) => !holds(value));
    return wrong.length === 0 ? [] : [`${path} is ${JSON.stringify(wrong[0])}, expected ${expected}`];
  });
