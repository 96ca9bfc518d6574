import { readFileSync } from 'node:fs';
import type { Column, Table } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import {
  applyTransform,
  type Estimator,
  estimatorNamed,
  fitTransform,
  parseTransformSpec,
  resolveParams,
  type Target,
} from '../src/index.ts';

interface Reference {
  readonly linear: {
    readonly features: number[][];
    readonly values: number[];
    readonly ridge: Record<string, { predictions: number[] }>;
    readonly logistic: Record<string, { C: number; target: number[]; probabilities: number[][] }>;
  };
  readonly numeric: {
    readonly values: (number | null)[][];
    readonly cases: { impute: string; scale: string; values: number[][]; indicators: number[][] }[];
  };
  readonly one_hot: {
    readonly train: string[];
    readonly unseen: string[];
    readonly cases: { max_categories: number; train: number[][]; unseen: number[][] }[];
  };
  readonly trees: {
    readonly features: (number | null)[][];
    readonly cases: {
      name: 'regression' | 'binary' | 'multiclass';
      params: Record<string, number>;
      target: number[];
      output: number[] | number[][];
    }[];
  };
}

/** What scikit-learn computes; `fixtures/reference.py` writes it. */
const reference = JSON.parse(
  readFileSync(new URL('./fixtures/reference.json', import.meta.url), 'utf8'),
) as Reference;

const numbers = (rows: readonly (readonly (number | null)[])[]): Table => ({
  rowCount: rows.length,
  columns: (rows[0] ?? []).map((_value, index) => ({
    name: `c${index}`,
    type: 'number',
    values: rows.map((row) => row[index] ?? null),
  })),
});

const text = (values: string[]): Table => ({
  rowCount: values.length,
  columns: [{ name: 'c', type: 'string', values }],
});

/** The largest difference between two matrices of one shape. */
const distance = (a: readonly (readonly number[])[], b: readonly (readonly number[])[]): number => {
  expect(a.length).toBe(b.length);
  return Math.max(
    ...a.flatMap((row, i) => row.map((value, j) => Math.abs(value - (b[i]?.[j] ?? Number.NaN)))),
  );
};

const rowsOf = (columns: readonly Column[], count: number): number[][] =>
  Array.from({ length: count }, (_, row) => columns.map((column) => Number(column.values[row])));

const fitAndPredict = async (
  estimator: Estimator,
  features: Table,
  target: Target,
  params: Record<string, unknown>,
) => {
  const model = await estimator.fit({
    features,
    target,
    params: resolveParams(estimator.parameters, params, 'params'),
    seed: 1,
  });
  const prediction = (await estimator.load(model.files)).predict(features);
  return prediction.kind === 'regression'
    ? prediction.values.map((value) => [value])
    : (prediction.probabilities ?? []);
};

const classesOf = (indices: number[]): Target => ({
  kind: 'classification',
  classes: [...new Set(indices)].sort().map(String),
  indices,
});

describe('compared with scikit-learn', () => {
  const { linear, numeric, one_hot: oneHot } = reference;

  for (const [name, expected] of Object.entries(linear.ridge)) {
    it(`linear/ridge with ${name} predicts the same to 1e-8`, async () => {
      const params = name === 'no_intercept' ? { fit_intercept: false } : { alpha: Number(name) };
      const target: Target = { kind: 'regression', values: linear.values };
      const estimator = estimatorNamed('linear/ridge', 'regression', 'using');
      const predicted = await fitAndPredict(estimator, numbers(linear.features), target, params);
      expect(
        distance(
          predicted,
          expected.predictions.map((value) => [value]),
        ),
      ).toBeLessThan(1e-8);
    });
  }

  it('linear/ridge predicts the same for columns in any order', async () => {
    const features = numbers(linear.features);
    const model = await estimatorNamed('linear/ridge', 'regression', 'using').fit({
      features,
      target: { kind: 'regression', values: linear.values },
      params: { alpha: 1, fit_intercept: true },
      seed: 1,
    });
    const reversed: Table = { ...features, columns: features.columns.toReversed() };
    expect(model.predict(reversed)).toEqual(model.predict(features));
  });

  for (const [name, expected] of Object.entries(linear.logistic)) {
    it(`linear/logistic ${name} gives the same probabilities to 1e-4`, async () => {
      const estimator = estimatorNamed('linear/logistic', 'classification', 'using');
      const params = { C: expected.C };
      const predicted = await fitAndPredict(
        estimator,
        numbers(linear.features),
        classesOf(expected.target),
        params,
      );
      expect(distance(predicted, expected.probabilities)).toBeLessThan(1e-4);
    });
  }

  for (const { impute, scale, values, indicators } of numeric.cases) {
    it(`imputing by ${impute} and scaling by ${scale} give the same to 1e-12`, () => {
      const table = numbers(numeric.values);
      const state = fitTransform(parseTransformSpec({ numeric: { impute, scale } }), table);
      const { columns } = applyTransform(state, table);
      const isIndicator = (column: Column) => column.name.endsWith('__missing');
      expect(
        distance(
          rowsOf(
            columns.filter((column) => !isIndicator(column)),
            table.rowCount,
          ),
          values,
        ),
      ).toBeLessThan(1e-12);
      expect(rowsOf(columns.filter(isIndicator), table.rowCount)).toEqual(indicators);
    });
  }

  for (const { max_categories, train, unseen } of oneHot.cases) {
    it(`one-hot encoding of at most ${max_categories} categories is the same, also for unseen values`, () => {
      const state = fitTransform(parseTransformSpec({ categorical: { max_categories } }), text(oneHot.train));
      const encode = (values: string[]) => rowsOf(applyTransform(state, text(values)).columns, values.length);
      expect(encode(oneHot.train)).toEqual(train);
      expect(encode(oneHot.unseen)).toEqual(unseen);
    });
  }

  for (const { name, params, target, output } of reference.trees.cases) {
    it(`trees/gradient_boosting for ${name} with ${JSON.stringify(params)} predicts the same to 1e-6`, async () => {
      const estimator = estimatorNamed(
        'trees/gradient_boosting',
        name === 'regression' ? 'regression' : 'classification',
        'using',
      );
      const features = numbers(reference.trees.features);
      const learnt: Target =
        name === 'regression' ? { kind: 'regression', values: target } : classesOf(target);
      const predicted = await fitAndPredict(estimator, features, learnt, params);
      const expected = output.map((row) => (typeof row === 'number' ? [row] : row));
      expect(distance(predicted, expected)).toBeLessThan(1e-6);
    });
  }
});
