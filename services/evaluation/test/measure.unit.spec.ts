import { computeMetrics, TaskType } from '@millrace/metrics';
import { columnOf, type Prediction, withoutColumns } from '@millrace/modeling';
import type { Table } from '@millrace/tabular';
import { describe, expect, it } from 'vitest';
import { evaluationCard } from '../src/card/evaluation-card.ts';
import { decideGates, verdictOf } from '../src/domain/decide-gates.ts';
import { type MeasuredModel, type MeasureOptions, measure } from '../src/domain/measure.ts';
import { metricCatalog } from '../src/domain/metric-catalog.ts';
import { planOf } from '../src/domain/plan.ts';
import { trips } from './trips.ts';

const regression = { type: TaskType.regression } as const;
const binary = { type: TaskType.binary, positiveClass: 'yes' } as const;

const numbersOf = (table: Table, name: string) => columnOf(table, name, name).values as readonly number[];

/** Knows distance and rain, not the city. */
const byDistance: MeasuredModel = {
  features: ['distance', 'rain', 'city'],
  predict: async (table) => {
    const rain = columnOf(table, 'rain', 'rain').values;
    return {
      kind: 'regression',
      values: numbersOf(table, 'distance').map((km, row) => km / 2 + (rain[row] === true ? 15 : 0) + 3),
    };
  },
};

const lateByDistance: MeasuredModel = {
  features: ['distance', 'rain'],
  predict: async (table): Promise<Prediction> => {
    const probabilities = numbersOf(table, 'distance').map((km) => [1 - km / 100, km / 100]);
    return {
      kind: 'classification',
      classes: ['no', 'yes'],
      labels: probabilities.map(([, late = 0]) => (late > 0.6 ? 'yes' : 'no')),
      probabilities,
    };
  },
};

const regressionTable = withoutColumns(trips({ rows: 300, seed: 5 }), ['late']);
const binaryTable = withoutColumns(trips({ rows: 300, seed: 5 }), ['minutes']);

const options = (part: Partial<MeasureOptions> = {}): MeasureOptions => ({
  task: regression,
  targetColumn: 'minutes',
  validation: regressionTable,
  test: regressionTable,
  model: byDistance,
  slices: [],
  importanceMetric: 'root_mean_squared_error',
  seed: 42,
  onProgress: () => {},
  ...part,
});

const classificationOptions: Partial<MeasureOptions> = {
  task: binary,
  targetColumn: 'late',
  validation: binaryTable,
  test: binaryTable,
  model: lateByDistance,
  importanceMetric: 'f1_score',
};

const slicesOf = (...slices: unknown[]) =>
  planOf({ slices }, metricCatalog(TaskType.regression, '', [])).slices;

describe('measuring', () => {
  it('gives the metrics of the library, each with an interval around it', async () => {
    const { measurement } = await measure(options());
    const expected = computeMetrics(
      regression,
      numbersOf(regressionTable, 'minutes'),
      await byDistance.predict(regressionTable),
    );
    expect(Object.fromEntries(measurement.test.metrics.map(({ name, value }) => [name, value]))).toEqual(
      expected,
    );
    for (const { name, value, interval } of measurement.test.metrics) {
      if (name === 'max_error') continue;
      expect(interval?.low, name).toBeLessThanOrEqual(value);
      expect(interval?.high, name).toBeGreaterThanOrEqual(value);
    }
  });

  it('is the same each time', async () => {
    const part = { slices: slicesOf('city'), champion: byDistance };
    const [one, other] = await Promise.all([measure(options(part)), measure(options(part))]);
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  });

  it('finds what a model relies on, and what it ignores', async () => {
    const { features } = (await measure(options())).measurement.importance;
    expect(features.map(({ feature }) => feature)).toEqual(['distance', 'rain', 'city']);
    expect(features[2]?.mean).toBe(0);
  });

  it('shows where the model is weak', async () => {
    const { measurement } = await measure(
      options({ slices: slicesOf('city', { name: 'far', where: 'distance > 60' }) }),
    );
    const rmse = new Map(
      measurement.slices.map(({ name, metrics }) => [
        name,
        metrics.find((m) => m.name === 'root_mean_squared_error')!.value,
      ]),
    );
    expect(rmse.get('city=Bern')).toBeGreaterThan(rmse.get('city=Oslo')! + 3);
    const rows = measurement.slices.reduce(
      (sum, { name, support }) => sum + (name === 'far' ? 0 : support),
      0,
    );
    expect(rows).toBe(300);
  });

  it('leaves a slice below its support unjudged', async () => {
    const { measurement } = await measure(
      options({ slices: slicesOf({ name: 'few', where: 'distance < 12', min_support: 100 }) }),
    );
    expect(measurement.slices[0]).toMatchObject({ name: 'few', minSupport: 100, metrics: [] });
  });

  it('refuses a slice whose condition does not fit the data, by its path', async () => {
    await expect(measure(options({ slices: slicesOf({ name: 'x', where: 'speed > 1' }) }))).rejects.toThrow(
      'steps.evaluate.slices[0].where',
    );
    await expect(measure(options({ slices: slicesOf('minutes') }))).rejects.toThrow(
      'steps.evaluate.slices[0]',
    );
  });

  it('compares with the champion on the same rows', async () => {
    const { measurement } = await measure(options({ champion: byDistance }));
    expect(measurement.champion?.differences.root_mean_squared_error).toMatchObject({
      value: 0,
      interval: { low: 0, high: 0 },
    });
  });

  it('takes a champion that does not fit the data as a finding', async () => {
    const outdated: MeasuredModel = {
      features: [],
      predict: () => Promise.reject(new Error('no column "speed"')),
    };
    const { measurement } = await measure(options({ champion: outdated }));
    expect(measurement.champion).toBeUndefined();
    expect(measurement.championProblem).toBe('no column "speed"');
  });

  it('leaves out rows without a target and says so', async () => {
    const values = numbersOf(regressionTable, 'minutes').map((value, row) => (row < 4 ? null : value));
    const test: Table = {
      ...regressionTable,
      columns: regressionTable.columns.map((column) =>
        column.name === 'minutes' ? { name: 'minutes', type: 'number', values } : column,
      ),
    };
    const { measurement } = await measure(options({ test }));
    expect(measurement.test.rowCount).toBe(296);
    expect(measurement.warnings).toEqual(['4 rows of the test split have no target and were left out']);
  });

  it('lists the worst predictions with their rows', async () => {
    const { columns, rows } = (await measure(options())).measurement.worst;
    expect(columns).toEqual(['error', 'prediction', 'minutes', 'distance', 'city', 'rain']);
    expect(rows).toHaveLength(10);
    expect(rows.map(([error]) => error)).toEqual(rows.map(([error]) => Number(error)).sort((a, b) => b - a));
  });

  it('gives a classification its confusion matrix and curves', async () => {
    const { plots } = (await measure(options(classificationOptions))).measurement;
    if (plots.kind !== 'classification') throw new Error('wrong plots');
    expect(plots.confusion.counts.flat().reduce((sum, count) => sum + count, 0)).toBe(300);
    expect(plots.curves.map(({ label }) => label)).toEqual(['yes']);
    expect(plots.curves[0]?.points.at(-1)).toMatchObject({ falsePositiveRate: 1, truePositiveRate: 1 });
    expect(JSON.stringify(plots)).not.toContain('null');
  });

  it('manages with one class in the test split', async () => {
    const late = columnOf(binaryTable, 'late', 'late').values.map(() => 'no');
    const test: Table = {
      ...binaryTable,
      columns: binaryTable.columns.map((column) =>
        column.name === 'late' ? { name: 'late', type: 'string', values: late } : column,
      ),
    };
    const { measurement } = await measure(options({ ...classificationOptions, test }));
    expect(measurement.test.metrics.map(({ name }) => name)).not.toContain('roc_auc');
    expect(measurement.plots).toMatchObject({ curves: [] });
  });
});

describe('the card', () => {
  const cardFor = async (column: string, value: string) => {
    const table = withoutColumns(
      trips({ rows: 200, seed: 5, cityColumn: column, cities: [value, 'b', 'c'] }),
      ['minutes'],
    );
    const catalog = metricCatalog(TaskType.binary, '', []);
    const plan = planOf(
      { slices: [column], validation_criteria: [{ metric: 'f1_score', threshold: 2 }] },
      catalog,
    );
    const { measurement } = await measure(
      options({
        ...classificationOptions,
        validation: table,
        test: table,
        slices: plan.slices,
        champion: lateByDistance,
        model: { ...lateByDistance, features: ['distance', column] },
      }),
    );
    const champion = { kind: 'compared', reference: value, ...measurement.champion! } as const;
    const outcomes = decideGates(plan.gates, {
      metrics: measurement.test.metrics,
      slices: measurement.slices,
      champion,
    });
    return evaluationCard({
      request: {
        identity: {
          modelDigest: value,
          modelName: value,
          datasetVersionId: value,
          dataDigest: value,
          trainingRunId: value,
          pipelineRunId: value,
        },
        reportId: value,
        catalog,
        seed: 42,
        targetColumn: value,
      },
      measurement,
      outcomes,
      verdict: verdictOf(outcomes),
      champion,
      createdAt: '2026-01-01T00:00:00.000Z',
      warnings: [value],
      environment: { runtimes: [[value, value]], lockDigest: value, packages: { [value]: value } },
    });
  };
  const tagsOf = (page: string) =>
    [...page.matchAll(/<(\/?[a-zA-Z!][^\s/>]*)((?:[^>"]|"[^"]*")*)>/g)].map(
      ([, tag, attributes = '']) => `${tag}${attributes.replace(/"[^"]*"/g, '')}`,
    );

  it('treats hostile column names and values as text, wherever they appear', async () => {
    const attack = '</td><script>alert(1)</script><img src=x onerror="alert(1)">';
    const page = await cardFor(`${attack}c`, attack);
    expect(page).not.toMatch(/<script|<img/);
    expect(page).toContain('&lt;script&gt;');
    expect(tagsOf(page)).toEqual(
      tagsOf(await cardFor(`${'a'.repeat(attack.length)}c`, 'a'.repeat(attack.length))),
    );
  });

  it('shows every part of an evaluation', async () => {
    const page = await cardFor('city', 'a');
    for (const part of [
      'Verdict',
      'Metrics',
      'Against the champion',
      'Slices',
      'Confusion matrix',
      'ROC curve',
      'Precision-recall curve',
      'Lift',
      'Calibration',
      'Feature importance',
      'Explanation (SHAP)',
      'Worst and best predictions',
      'Warnings',
      'Environment',
      'Lineage and run',
    ]) {
      expect(page).toContain(part);
    }
    expect(page).not.toMatch(/NaN|undefined|\[object/);
  });
});
