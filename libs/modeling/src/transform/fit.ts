import { Invalid } from '@millrace/errors';
import type { Column, Table } from '@millrace/tabular';
import {
  ascending,
  compare,
  countsOf,
  mean,
  median,
  mostFrequent,
  quantile,
  standardDeviation,
} from '../statistics.ts';
import { columnOf } from '../table-access.ts';
import type { CategoricalRule, ColumnRule, DateRule, NumericRule, Scaling, TransformSpec } from './spec.ts';
import type { DateStep, NumericStep, OneHotStep, TransformState, TransformStep } from './state.ts';

/** Rare categories kept by name so that they are told from unseen ones; beyond it a column is an identifier. */
const mostCategories = 10_000;

type Fitted = TransformStep | { readonly dropped: string };

/**
 * Learns a transform from the training split's features (without the target). Columns that carry no
 * information (all missing, one constant value, a text that never repeats) are dropped with the reason in
 * the state. Throws `Invalid` on a rule for a column that is missing or of the wrong type, and when no
 * column is left.
 */
export const fitTransform = (spec: TransformSpec, features: Table): TransformState => {
  const columns = chosenColumns(spec, features);
  const fitted = columns.map((column) => ({ column, result: fitColumn(spec, column) }));
  const steps = fitted.flatMap(({ result }) => ('dropped' in result ? [] : [result]));
  if (steps.length === 0) {
    throw Invalid.field('steps.transform', 'no feature column is left', {
      hint: 'Every column is dropped, constant or empty in the training split.',
    });
  }
  return {
    format: 'millrace.transform/v1',
    inputs: fitted.flatMap(({ column, result }) =>
      'dropped' in result
        ? []
        : [
            {
              name: column.name,
              type: column.type,
              nullable: (column.values as readonly unknown[]).includes(null),
            },
          ],
    ),
    steps,
    dropped: fitted.flatMap(({ column, result }) =>
      'dropped' in result && result.dropped !== '' ? [{ column: column.name, reason: result.dropped }] : [],
    ),
  };
};

const chosenColumns = (spec: TransformSpec, features: Table): readonly Column[] => {
  for (const name of spec.drop) columnOf(features, name, 'steps.transform.drop');
  for (const name of Object.keys(spec.columns)) columnOf(features, name, `steps.transform.columns.${name}`);
  const selected = spec.select?.map((name, index) =>
    columnOf(features, name, `steps.transform.select[${index}]`),
  );
  return (selected ?? features.columns).filter((column) => !spec.drop.includes(column.name));
};

const fitColumn = (spec: TransformSpec, column: Column): Fitted => {
  const rule = spec.columns[column.name] ?? defaultRule(column);
  switch (rule.kind) {
    case 'drop':
      return { dropped: '' };
    case 'keep':
      return { kind: 'keep', column: column.name, fill: null };
    case 'numeric':
      return fitNumeric(column, { ...spec.numeric, ...rule });
    case 'categorical':
      return fitCategorical(column, { ...spec.categorical, ...rule }, column.name in spec.columns);
    case 'date':
      return fitDate(column, { ...spec.date, ...rule });
  }
};

const defaultRule = (column: Column): ColumnRule => {
  if (column.type === 'string') return { kind: 'categorical' };
  if (column.type === 'timestamp') return { kind: 'date' };
  // A truth value is a number of two values already; scaling would only hide that.
  if (column.type === 'boolean') return { kind: 'numeric', impute: 'most_frequent', scale: 'none' };
  return { kind: 'numeric' };
};

const numbersOf = (column: Column, kind: string): number[] => {
  if (column.type === 'string') {
    throw Invalid.field(
      `steps.transform.columns.${column.name}.kind`,
      `"${kind}" needs numbers, the column is text`,
    );
  }
  return (column.values as readonly (number | boolean | null)[]).flatMap((value) =>
    value === null ? [] : [Number(value)],
  );
};

const fitNumeric = (column: Column, rule: NumericRule): Fitted => {
  const present = numbersOf(column, 'numeric');
  if (present.length === 0) return { dropped: 'every value is missing' };
  const missing = present.length < column.values.length;
  const fill = numberFill(present, rule);
  const filled =
    fill === null
      ? present
      : [...present, ...Array<number>(column.values.length - present.length).fill(fill)];
  const indicator = rule.indicator && missing;
  if (!indicator && isConstant(filled)) return { dropped: 'every value is the same' };
  const step: NumericStep = {
    kind: 'numeric',
    column: column.name,
    fill,
    ...centerAndScale(filled, rule.scale),
    indicator,
  };
  return step;
};

const isConstant = (values: readonly unknown[]): boolean => values.every((value) => value === values[0]);

const numberFill = (present: readonly number[], { impute }: NumericRule): number | null => {
  if (impute === 'none') return null;
  if (impute === 'mean') return mean(present);
  if (impute === 'median') return median(present);
  if (impute === 'most_frequent') return mostFrequent(present) ?? null;
  return impute.constant;
};

/** As scikit-learn's scalers: a column without spread is centred and left unscaled. */
const centerAndScale = (values: readonly number[], scaling: Scaling): { center: number; scale: number } => {
  const sorted = ascending(values);
  const spread = (center: number, scale: number) => ({ center, scale: scale === 0 ? 1 : scale });
  switch (scaling) {
    case 'none':
      return { center: 0, scale: 1 };
    case 'standard':
      return spread(mean(values), standardDeviation(values));
    case 'minmax':
      return spread(quantile(sorted, 0), quantile(sorted, 1) - quantile(sorted, 0));
    case 'robust':
      return spread(quantile(sorted, 0.5), quantile(sorted, 0.75) - quantile(sorted, 0.25));
  }
};

const fitCategorical = (column: Column, rule: CategoricalRule, asked: boolean): Fitted => {
  const present = (column.values as readonly (string | number | boolean | null)[]).flatMap((value) =>
    value === null ? [] : [String(value)],
  );
  if (present.length === 0) return { dropped: 'every value is missing' };
  const fill = textFill(present, rule);
  if (rule.encode === 'none') return { kind: 'keep', column: column.name, fill };
  const missing = column.values.length - present.length;
  const counts = countsOf(present);
  if (fill !== null && missing > 0) counts.set(fill, (counts.get(fill) ?? 0) + missing);
  const uninformative = whyUninformative(counts, present.length, missing > 0 && fill === null, asked);
  if (uninformative !== undefined) return { dropped: uninformative };
  return oneHot(column.name, fill, counts, rule.maxCategories);
};

const whyUninformative = (
  counts: ReadonlyMap<string, number>,
  present: number,
  missingShows: boolean,
  asked: boolean,
): string | undefined => {
  if (counts.size === 1 && !missingShows) return 'every value is the same';
  if (counts.size > mostCategories) return `more than ${mostCategories} different values`;
  if (!asked && counts.size === present && present > 20) return 'no value repeats, so it is an identifier';
  return undefined;
};

const textFill = (present: readonly string[], { impute }: CategoricalRule): string | null => {
  if (impute === 'none') return null;
  if (impute === 'most_frequent') return mostFrequent(present) ?? null;
  return impute.constant;
};

/** Keeps the most frequent categories, ties by name, in the order of their names. */
const oneHot = (
  column: string,
  fill: string | null,
  counts: ReadonlyMap<string, number>,
  maxCategories: number,
): OneHotStep => {
  const byFrequency = [...counts]
    .sort((a, b) => b[1] - a[1] || compare(a[0], b[0]))
    .map(([category]) => category);
  const kept = byFrequency.length <= maxCategories ? byFrequency : byFrequency.slice(0, maxCategories - 1);
  const rare = byFrequency.slice(kept.length);
  return { kind: 'one_hot', column, fill, categories: kept.sort(compare), rare: rare.sort(compare) };
};

const fitDate = (column: Column, rule: DateRule): Fitted => {
  if (column.type !== 'timestamp') {
    throw Invalid.field(
      `steps.transform.columns.${column.name}.kind`,
      `"date" needs timestamps, the column is ${column.type}`,
    );
  }
  const present = numbersOf(column, 'date');
  if (present.length === 0) return { dropped: 'every value is missing' };
  const step: DateStep = {
    kind: 'date',
    column: column.name,
    parts: rule.parts,
    cyclical: rule.cyclical,
    fill: median(present),
  };
  return step;
};
