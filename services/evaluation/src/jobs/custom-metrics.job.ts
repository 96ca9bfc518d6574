import { readFile } from 'node:fs/promises';
import { deserialize } from 'node:v8';
import type { JobMain } from '@millrace/jobs';
import type { Metrics } from '@millrace/metrics';
import { type CustomMetricReference, computeCustomMetrics, customMetricsFile } from '@millrace/modeling';
import type { ScoredRows } from '../domain/measure.ts';

export interface CustomMetricsInput {
  /** Root of the project's code. */
  readonly code: string;
  readonly metrics: readonly CustomMetricReference[];
  /** What the measuring job wrote. */
  readonly scoredFile: string;
  /** Built-in metrics by set of rows (`validation`, `test`, `champion`). */
  readonly builtIn: Readonly<Record<string, Metrics>>;
}

/** Set of rows → metric → value. */
export type CustomMetricValues = Readonly<Record<string, Metrics>>;

/** Runs the project's metric functions, which are user code, on predictions made before. */
const main: JobMain<CustomMetricsInput, CustomMetricValues> = async (input, context) => {
  context.activity(`the metrics of ${customMetricsFile}`);
  const scored = deserialize(await readFile(input.scoredFile)) as Record<string, ScoredRows>;
  const values: Record<string, Metrics> = {};
  for (const [set, { target, prediction }] of Object.entries(scored)) {
    const builtIn = input.builtIn[set] ?? {};
    values[set] = await computeCustomMetrics(input.code, input.metrics, target, prediction, builtIn);
  }
  return values;
};
export default main;
