import { join } from 'node:path';
import { FailedPrecondition, Invalid } from '@millrace/errors';
import type { Metrics } from '@millrace/metrics';
import { customMetricsFile } from '@millrace/modeling';
import { openProject } from '@millrace/service-kit';
import type {
  ChampionMeasurement,
  Measurement,
  MetricEstimate,
  SplitMeasurement,
} from '../domain/measurement.ts';
import type { EvaluationContext } from './ports.ts';
import type { EvaluateRequest } from './request.ts';

const pythonPath = 'steps/custom_metrics.py';
/** What a metric's module may import from its project. */
const codeFile = /\.(ts|mts|cts|js|mjs|cjs|json)$/;
const largestCodeFile = 4 * 1024 * 1024;

/** Adds the metrics that the project computes to those measured; all rows of a split, no intervals. */
export const addCustomMetrics = async (
  directory: string,
  context: EvaluationContext,
  { customMetrics, projectDigest }: EvaluateRequest,
  measurement: Measurement,
  signal: AbortSignal,
): Promise<Measurement> => {
  if (customMetrics.length === 0) return measurement;
  const { validation, test, champion } = measurement;
  const project = join(directory, 'project');
  await layOutProject(context, projectDigest, project);
  const values = await context.computeCustomMetrics(
    {
      code: project,
      metrics: customMetrics,
      scoredFile: join(directory, 'scored.bin'),
      builtIn: {
        validation: byName(validation.metrics),
        test: byName(test.metrics),
        ...(champion === undefined ? {} : { champion: champion.metrics }),
      },
    },
    { project, work: directory },
    signal,
  );
  return {
    ...measurement,
    validation: withMetrics(validation, values.validation ?? {}),
    test: withMetrics(test, values.test ?? {}),
    ...(champion === undefined
      ? {}
      : { champion: withDifferences(champion, values.test ?? {}, values.champion ?? {}) }),
  };
};

const layOutProject = async (
  { blobs }: EvaluationContext,
  manifestDigest: string,
  directory: string,
): Promise<void> => {
  if (manifestDigest === '') throw Invalid.field('custom_metrics', 'need the project that defines them');
  const project = await openProject(blobs, manifestDigest);
  if (project.find(customMetricsFile) === undefined) {
    if (project.find(pythonPath) === undefined)
      throw Invalid.field('custom_metrics', `the project has no ${customMetricsFile}`);
    throw new FailedPrecondition(`custom metrics in ${pythonPath} need the Python runtime`, {
      hint: `Write them in ${customMetricsFile}, or remove custom_metrics from recipe.yaml.`,
    });
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
