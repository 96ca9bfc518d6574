/** Values in templates: what YAML and JSON can hold, and the mark of a name without a value. */
export type TemplateValue =
  | null
  | boolean
  | number
  | string
  | Undefined
  | readonly TemplateValue[]
  | { readonly [key: string]: TemplateValue };

/** A name that has no value. Only `default` and `is defined` may meet it; any other use is an error. */
export class Undefined {
  readonly name: string;

  constructor(name: string) {
    this.name = name;
  }
}

export type TemplateMapping = Readonly<Record<string, TemplateValue>>;

export const isMapping = (value: TemplateValue): value is { readonly [key: string]: TemplateValue } =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Undefined);

export const isList = (value: TemplateValue): value is readonly TemplateValue[] => Array.isArray(value);

/** Truth as Python and Jinja see it: empty text, lists and mappings are false. */
export const isTrue = (value: TemplateValue): boolean => {
  if (isList(value)) return value.length > 0;
  if (isMapping(value)) return Object.keys(value).length > 0;
  return Boolean(value);
};

const plainInQuotes = /^[\x20-\x7e]*$/;

/**
 * The text that stands for a value in YAML. Jinja printed Python's `repr`, which YAML misreads (`None` became
 * a string); this prints YAML flow style with single quotes, which also survives inside double quotes.
 */
export const toYamlText = (value: TemplateValue): string => (typeof value === 'string' ? value : flow(value));

const flow = (value: TemplateValue): string => {
  if (isList(value)) return `[${value.map(flow).join(', ')}]`;
  if (isMapping(value)) {
    const pairs = Object.entries(value).map(([key, item]) => `${quoted(key)}: ${flow(item)}`);
    return `{${pairs.join(', ')}}`;
  }
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'number') return numberText(value);
  return String(value);
};

const quoted = (text: string): string =>
  plainInQuotes.test(text) ? `'${text.replaceAll("'", "''")}'` : JSON.stringify(text);

const numberText = (value: number): string => {
  if (Number.isNaN(value)) return '.nan';
  if (!Number.isFinite(value)) return value > 0 ? '.inf' : '-.inf';
  return String(value);
};

/** How much there is in a value: its parts and, by the hundred, its characters; at most about `limit`. */
export const weightOf = (value: TemplateValue, limit: number): number => {
  if (typeof value === 'string') return 1 + value.length / 100;
  const parts = isList(value) ? value : isMapping(value) ? Object.values(value) : [];
  let weight = 1;
  for (const part of parts) {
    weight += weightOf(part, limit - weight);
    if (weight > limit) break;
  }
  return weight;
};
