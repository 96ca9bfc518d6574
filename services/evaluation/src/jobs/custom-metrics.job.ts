import { readFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { Invalid } from '@millrace/errors';
import type { JobMain } from '@millrace/jobs';
import type { Label, Metrics } from '@millrace/metrics';
import type { ScoredRows } from '../domain/measure.ts';

export interface CustomMetricsInput {
  /** The project's module. */
  readonly module: string;
  readonly metrics: readonly { readonly name: string; readonly function: string }[];
  /** What the measuring job wrote. */
  readonly scoredFile: string;
  /** Built-in metrics by set of rows (`validation`, `test`, `champion`). */
  readonly builtIn: Readonly<Record<string, Metrics>>;
}

/** First argument of a project's metric: columns of equal length. */
export interface EvaluationTable {
  readonly target: readonly Label[];
  /** Numbers, or labels in the target's own type. */
  readonly prediction: readonly Label[];
  /** Classification: `probabilities[row][class]` in the order of `classes`. */
  readonly probabilities?: readonly (readonly number[])[];
  readonly classes?: readonly string[];
}

type MetricFunction = (table: EvaluationTable, builtInMetrics: Metrics) => unknown;

/** Set of rows → metric → value. */
export type CustomMetricValues = Readonly<Record<string, Metrics>>;

/** Runs the project's metric functions, which are user code, on predictions made before. */
const main: JobMain<CustomMetricsInput, CustomMetricValues> = async (input, context) => {
  context.activity('import of steps/custom_metrics.ts');
  const module = (await import(pathToFileURL(input.module).href)) as Record<string, unknown>;
  const functions = input.metrics.map(({ name, function: exported }) => ({
    name,
    compute: metricFunction(module, exported),
  }));
  const scored = JSON.parse(await readFile(input.scoredFile, 'utf8')) as Record<string, ScoredRows>;
  const values: Record<string, Record<string, number>> = {};
  for (const [set, rows] of Object.entries(scored)) {
    const row: Record<string, number> = {};
    for (const { name, compute } of functions) {
      context.activity(`custom metric ${name}`);
      // A copy each: a function may change what it is given.
      row[name] = checked(name, await compute(evaluationTable(rows), { ...input.builtIn[set] }));
    }
    values[set] = row;
  }
  return values;
};
export default main;

const metricFunction = (module: Record<string, unknown>, exported: string): MetricFunction => {
  const found = module[exported];
  if (typeof found === 'function') return found as MetricFunction;
  throw Invalid.field('custom_metrics', `steps/custom_metrics.ts exports no function "${exported}"`, {
    hint: `It exports: ${Object.keys(module).join(', ') || 'nothing'}.`,
  });
};

const checked = (name: string, value: unknown): number => {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw Invalid.field('custom_metrics', `custom metric "${name}" gave ${String(value)}, not a finite number`);
};

const evaluationTable = ({ target, prediction }: ScoredRows): EvaluationTable => {
  if (prediction.kind === 'regression')
    return { target: [...target], prediction: Array.from(prediction.values) };
  const labelOf = labelReader(target);
  return {
    target: [...target],
    prediction: Array.from(prediction.labels, labelOf),
    ...(prediction.probabilities === undefined
      ? {}
      : { probabilities: Array.from(prediction.probabilities, (row) => Array.from(row)) }),
    classes: [...prediction.classes],
  };
};

/** Turns a class's text into the type of the target's values. */
const labelReader = ([first]: readonly Label[]): ((text: string) => Label) => {
  if (typeof first === 'number') return Number;
  return typeof first === 'boolean' ? (text) => text === 'true' : (text) => text;
};
