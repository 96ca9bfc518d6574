import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Invalid } from '@millrace/errors';
import type { Metrics } from '@millrace/metrics';
import { customMetricsFile } from '@millrace/modeling';
import {
  layOutProject,
  openProject,
  pythonEnvironmentSpec,
  pythonRecipe,
  type StepContext,
} from '@millrace/service-kit';
import type {
  ChampionMeasurement,
  Measurement,
  MetricEstimate,
  SplitMeasurement,
} from '../domain/measurement.ts';
import type { CustomMetricValues } from '../jobs/custom-metrics.job.ts';
import type { ScoredFormat } from '../jobs/write-scored.ts';
import type { EvaluationContext } from './ports.ts';
import type { EvaluateRequest } from './request.ts';

/** Built-in metrics by set of rows. */
type BuiltInMetrics = Readonly<Record<string, Metrics>>;

/** What a metric's module may import from its project. */
const codeFile = /\.(ts|mts|cts|js|mjs|cjs|json)$/;
const largestCodeFile = 4 * 1024 * 1024;

/** Adds the metrics that the project computes to those measured; all rows of a split, no intervals. */
export const addCustomMetrics = async (
  directory: string,
  context: EvaluationContext,
  request: EvaluateRequest,
  measurement: Measurement,
  step: StepContext,
): Promise<Measurement> => {
  if (request.customMetrics.length === 0) return measurement;
  const { validation, test, champion } = measurement;
  const builtIn = {
    validation: byName(validation.metrics),
    test: byName(test.metrics),
    ...(champion === undefined ? {} : { champion: champion.metrics }),
  };
  const values = request.python
    ? await pythonCustomMetrics(directory, context, request, builtIn, step)
    : await nodeCustomMetrics(directory, context, request, builtIn, step);
  return {
    ...measurement,
    validation: withMetrics(validation, values.validation ?? {}),
    test: withMetrics(test, values.test ?? {}),
    ...(champion === undefined
      ? {}
      : { champion: withDifferences(champion, values.test ?? {}, values.champion ?? {}) }),
  };
};

/** Where predictions and targets are kept for them; undefined without such metrics. */
export const scoredFormat = (
  directory: string,
  { customMetrics, python }: EvaluateRequest,
): ScoredFormat | undefined => {
  if (customMetrics.length === 0) return undefined;
  return python ? { kind: 'python', directory } : { kind: 'node', file: join(directory, 'scored.bin') };
};

const nodeCustomMetrics = async (
  directory: string,
  context: EvaluationContext,
  { customMetrics, projectDigest }: EvaluateRequest,
  builtIn: BuiltInMetrics,
  { signal }: StepContext,
): Promise<CustomMetricValues> => {
  const project = join(directory, 'project');
  await layOutCode(context, projectDigest, project);
  return context.computeCustomMetrics(
    { code: project, metrics: customMetrics, scoredFile: join(directory, 'scored.bin'), builtIn },
    { project, work: directory },
    signal,
  );
};

const pythonCustomMetrics = async (
  directory: string,
  { blobs, python }: EvaluationContext,
  { customMetrics }: EvaluateRequest,
  builtIn: BuiltInMetrics,
  step: StepContext,
): Promise<CustomMetricValues> => {
  const project = join(directory, 'project');
  await mkdir(project);
  await layOutProject(blobs, step.command, project);
  const spec = await pythonEnvironmentSpec(blobs, step);
  const input = {
    ...pythonRecipe(step.command, project),
    metrics: customMetrics.map(({ name, function: method }) => ({ name, function: method })),
    splits: Object.fromEntries(
      Object.entries(builtIn).map(([set, metrics]) => [
        set,
        { file: join(directory, `${set}.parquet`), builtin: metrics },
      ]),
    ),
  };
  return python.customMetrics(spec, input, project, step);
};

const layOutCode = async (
  { blobs }: EvaluationContext,
  manifestDigest: string,
  directory: string,
): Promise<void> => {
  if (manifestDigest === '') throw Invalid.field('custom_metrics', 'need the project that defines them');
  const project = await openProject(blobs, manifestDigest);
  if (project.find(customMetricsFile) === undefined) {
    throw Invalid.field('custom_metrics', `the project has no ${customMetricsFile}`);
  }
  const code = project.files.filter(({ path, size }) => codeFile.test(path) && size <= largestCodeFile);
  await project.materialize(code, directory);
};

const byName = (metrics: readonly MetricEstimate[]): Metrics =>
  Object.fromEntries(metrics.map(({ name, value }) => [name, value]));

/** The project's metric takes the place of a built-in one of its name. */
const withMetrics = (split: SplitMeasurement, values: Metrics): SplitMeasurement => ({
  ...split,
  metrics: [
    ...Object.entries(values).map(([name, value]) => ({ name, value })),
    ...split.metrics.filter(({ name }) => !(name in values)),
  ],
});

const withDifferences = (
  champion: ChampionMeasurement,
  challenger: Metrics,
  values: Metrics,
): ChampionMeasurement => ({
  metrics: { ...champion.metrics, ...values },
  differences: {
    ...champion.differences,
    ...Object.fromEntries(
      Object.entries(values).map(([name, value]) => [
        name,
        { value: (challenger[name] ?? Number.NaN) - value },
      ]),
    ),
  },
});
