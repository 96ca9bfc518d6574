import { Invalid } from '@millrace/errors';
import { rejectUnknownKeys } from '../checks.ts';

export type NumberImputation = 'median' | 'mean' | 'most_frequent' | 'none' | { readonly constant: number };
export type TextImputation = 'most_frequent' | 'none' | { readonly constant: string };

export const scalings = ['standard', 'minmax', 'robust', 'none'] as const;
/** Centre and unit of a numeric column: mean and deviation, minimum and range, median and quartile range. */
export type Scaling = (typeof scalings)[number];

export const dateParts = ['year', 'month', 'day', 'weekday', 'hour', 'minute', 'day_of_year'] as const;
/** All in UTC; `month` from 1, `weekday` from 0 (Monday). */
export type DatePart = (typeof dateParts)[number];

export interface NumericRule {
  readonly impute: NumberImputation;
  /** Adds `<column>__missing` (1 where the value was missing); only when the training split misses any. */
  readonly indicator: boolean;
  readonly scale: Scaling;
}

export interface CategoricalRule {
  readonly impute: TextImputation;
  readonly encode: 'one_hot' | 'none';
  /** Most output columns that one input column may make, `other` included. */
  readonly maxCategories: number;
}

export interface DateRule {
  readonly parts: readonly DatePart[];
  /** Periodic parts become sine and cosine, so that December is next to January. */
  readonly cyclical: boolean;
}

/** The rule of one column in place of the default for its type. */
export type ColumnRule =
  | ({ readonly kind: 'numeric' } & Partial<NumericRule>)
  | ({ readonly kind: 'categorical' } & Partial<CategoricalRule>)
  | ({ readonly kind: 'date' } & Partial<DateRule>)
  | { readonly kind: 'drop' }
  | { readonly kind: 'keep' };

/** What to do with each column, by its type unless `columns` names it. */
export interface TransformSpec {
  /** Columns to use; absent: all. */
  readonly select?: readonly string[];
  readonly drop: readonly string[];
  readonly numeric: NumericRule;
  readonly categorical: CategoricalRule;
  readonly date: DateRule;
  readonly columns: Readonly<Record<string, ColumnRule>>;
}

/** The `auto` transform: what `transform: {using: auto}` means when nothing else is said. */
export const autoTransform: TransformSpec = {
  drop: [],
  numeric: { impute: 'median', indicator: true, scale: 'standard' },
  categorical: { impute: 'none', encode: 'one_hot', maxCategories: 20 },
  date: { parts: ['year', 'month', 'weekday', 'hour'], cyclical: false },
  columns: {},
};

type Section = Readonly<Record<string, unknown>>;

/**
 * Reads the transform section of a recipe (snake case keys), filling in the defaults of `autoTransform`.
 * Throws `Invalid` naming the key at fault under `path`.
 */
export const parseTransformSpec = (section: Section, path = 'steps.transform'): TransformSpec => {
  rejectUnknownKeys(section, ['select', 'drop', 'numeric', 'categorical', 'date', 'columns'], path);
  const select = section.select === undefined ? undefined : names(section.select, `${path}.select`);
  return {
    ...(select === undefined ? {} : { select }),
    drop: section.drop === undefined ? [] : names(section.drop, `${path}.drop`),
    numeric: {
      ...autoTransform.numeric,
      ...numericRule(object(section.numeric, `${path}.numeric`), `${path}.numeric`),
    },
    categorical: {
      ...autoTransform.categorical,
      ...categoricalRule(object(section.categorical, `${path}.categorical`), `${path}.categorical`),
    },
    date: { ...autoTransform.date, ...dateRule(object(section.date, `${path}.date`), `${path}.date`) },
    columns: columnRules(object(section.columns, `${path}.columns`), `${path}.columns`),
  };
};

const columnRules = (section: Section, path: string): Record<string, ColumnRule> =>
  Object.fromEntries(
    Object.entries(section).map(([column, rule]) => [column, columnRule(rule, `${path}.${column}`)]),
  );

const columnRule = (value: unknown, path: string): ColumnRule => {
  if (value === 'drop' || value === 'keep') return { kind: value };
  const section = object(value, path);
  const { kind, ...rest } = section;
  if (kind === 'drop' || kind === 'keep') return { kind };
  if (kind === 'numeric') return { kind, ...numericRule(rest, path) };
  if (kind === 'categorical') return { kind, ...categoricalRule(rest, path) };
  if (kind === 'date') return { kind, ...dateRule(rest, path) };
  throw Invalid.field(`${path}.kind`, 'must be numeric, categorical, date, drop or keep');
};

const numericRule = (section: Section, path: string): Partial<NumericRule> => {
  rejectUnknownKeys(section, ['impute', 'indicator', 'scale'], path);
  return {
    ...(section.impute === undefined ? {} : { impute: numberImputation(section.impute, `${path}.impute`) }),
    ...(section.indicator === undefined
      ? {}
      : { indicator: boolean(section.indicator, `${path}.indicator`) }),
    ...(section.scale === undefined ? {} : { scale: oneOf(section.scale, scalings, `${path}.scale`) }),
  };
};

const categoricalRule = (section: Section, path: string): Partial<CategoricalRule> => {
  rejectUnknownKeys(section, ['impute', 'encode', 'max_categories'], path);
  return {
    ...(section.impute === undefined ? {} : { impute: textImputation(section.impute, `${path}.impute`) }),
    ...(section.encode === undefined
      ? {}
      : { encode: oneOf(section.encode, ['one_hot', 'none'] as const, `${path}.encode`) }),
    ...(section.max_categories === undefined
      ? {}
      : { maxCategories: positiveInteger(section.max_categories, `${path}.max_categories`) }),
  };
};

const dateRule = (section: Section, path: string): Partial<DateRule> => {
  rejectUnknownKeys(section, ['parts', 'cyclical'], path);
  return {
    ...(section.parts === undefined
      ? {}
      : {
          parts: names(section.parts, `${path}.parts`).map((part, index) =>
            oneOf(part, dateParts, `${path}.parts[${index}]`),
          ),
        }),
    ...(section.cyclical === undefined ? {} : { cyclical: boolean(section.cyclical, `${path}.cyclical`) }),
  };
};

const numberImputation = (value: unknown, path: string): NumberImputation => {
  if (isObject(value) && typeof value.constant === 'number') return { constant: value.constant };
  return oneOf(value, ['median', 'mean', 'most_frequent', 'none'] as const, path, 'or {constant: <number>}');
};

const textImputation = (value: unknown, path: string): TextImputation => {
  if (isObject(value) && typeof value.constant === 'string') return { constant: value.constant };
  return oneOf(value, ['most_frequent', 'none'] as const, path, 'or {constant: <text>}');
};

const isObject = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const object = (value: unknown, path: string): Section => {
  if (value === undefined) return {};
  if (!isObject(value)) throw Invalid.field(path, 'must be a mapping');
  return value;
};

const names = (value: unknown, path: string): string[] => {
  if (!Array.isArray(value) || value.some((item) => typeof item !== 'string')) {
    throw Invalid.field(path, 'must be a list of names');
  }
  return value;
};

const boolean = (value: unknown, path: string): boolean => {
  if (typeof value !== 'boolean') throw Invalid.field(path, 'must be true or false');
  return value;
};

const positiveInteger = (value: unknown, path: string): number => {
  if (!Number.isInteger(value) || (value as number) < 1)
    throw Invalid.field(path, 'must be a whole number from 1');
  return value as number;
};

const oneOf = <T extends string>(value: unknown, allowed: readonly T[], path: string, also = ''): T => {
  if (allowed.includes(value as T)) return value as T;
  throw Invalid.field(path, `must be one of ${allowed.join(', ')}${also === '' ? '' : ` ${also}`}`);
};
