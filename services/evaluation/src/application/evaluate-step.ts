import { mkdir, mkdtemp, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type EnvironmentFacts, environmentFacts } from '@millrace/cards';
import { Verdict as WireVerdict } from '@millrace/contracts/evaluation';
import { prepareModel } from '@millrace/modeling';
import { type StepContext, StepFailed, type StepHandler, type StepResult } from '@millrace/service-kit';
import { evaluationCard } from '../card/evaluation-card.ts';
import { decideGates, verdictOf } from '../domain/decide-gates.ts';
import { importanceMetric } from '../domain/metric-catalog.ts';
import { requireProduced } from '../domain/produced-metrics.ts';
import { buildReport, gatesFailed } from '../domain/report.ts';
import type { PackageOnDisk } from '../jobs/measure.job.ts';
import { type Comparison, championFacts, findComparison } from './compare-with-champion.ts';
import { addCustomMetrics, scoredFormat } from './custom-metrics.ts';
import type { EvaluationContext, ReportRecord, StoredBlob } from './ports.ts';
import { type EvaluateRequest, evaluateRequest } from './request.ts';
import { layOutBlob, layOutPackage, readDescription } from './workspace.ts';

/**
 * The step `evaluate`. Inputs: the splits `validation` and `test`, a `model`; by kind and optional
 * `dataset_version` and `training_run`. Outputs: `evaluation_report` and `card`. A failed gate fails the step
 * with `failed_precondition`, report and card included. Safe to repeat: one attempt makes one report.
 */
export const evaluateStep =
  (context: EvaluationContext): StepHandler =>
  async (step) => {
    const request = evaluateRequest(step);
    const record = (await context.reports.get(request.reportId)) ?? (await evaluate(context, request, step));
    const result = resultOf(record, request);
    if (record.report.verdict === WireVerdict.VERDICT_REJECTED) {
      throw new StepFailed(gatesFailed(record.report), result);
    }
    return result;
  };

const evaluate = async (
  context: EvaluationContext,
  request: EvaluateRequest,
  step: StepContext,
): Promise<ReportRecord> => {
  await mkdir(context.tempDir, { recursive: true });
  // The real path: errors of user code are told from ours by it.
  const directory = await realpath(await mkdtemp(join(context.tempDir, 'evaluate-')));
  try {
    return await evaluateIn(directory, context, request, step);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const evaluateIn = async (
  directory: string,
  context: EvaluationContext,
  request: EvaluateRequest,
  step: StepContext,
): Promise<ReportRecord> => {
  const { plan, catalog } = request;
  const comparison = await findComparison(context, request, step.signal);
  const measured = await measureIn(directory, context, request, comparison, step);
  const measurement = await addCustomMetrics(directory, context, request, measured, step);
  requireProduced(plan.gates, measurement.test.metrics, request.customMetrics);
  const facts = championFacts(comparison, measurement);
  const outcomes = decideGates(plan.gates, {
    metrics: measurement.test.metrics,
    slices: measurement.slices,
    champion: facts,
  });
  const verdict = verdictOf(outcomes);
  const createdAt = new Date(context.now()).toISOString();
  step.progress(0.97, 'writing the report');
  const warnings = [...comparison.warnings, ...measurement.warnings];
  const details = await store(context, `${JSON.stringify({ measurement, gates: outcomes, verdict })}\n`);
  const environment = await packagedEnvironment(join(directory, 'model'));
  const evaluation = {
    ...{ request, measurement, outcomes, verdict, champion: facts, createdAt, warnings },
    ...(environment === undefined ? {} : { environment }),
  };
  const card = await store(context, evaluationCard(evaluation));
  const report = buildReport(
    {
      ...request.identity,
      id: request.reportId,
      champion: comparison.champion?.reference ?? '',
      cardDigest: card.digest,
      createdAt,
    },
    catalog,
    measurement,
    outcomes,
    verdict,
  );
  return context.reports.add({ report, card, details, warnings });
};

/** What the package says that it was made with. */
const packagedEnvironment = async (modelDirectory: string): Promise<EnvironmentFacts | undefined> => {
  const path = join(modelDirectory, 'environment.json');
  const text = await readFile(path, 'utf8').catch((thrown: NodeJS.ErrnoException) => {
    if (thrown.code === 'ENOENT') return undefined;
    throw thrown;
  });
  return text === undefined ? undefined : environmentFacts(JSON.parse(text));
};

const measureIn = async (
  directory: string,
  context: EvaluationContext,
  request: EvaluateRequest,
  { champion }: Comparison,
  { signal, progress }: StepContext,
) => {
  progress(0.02, 'fetching model and data');
  const { blobs } = context;
  const validation = await layOutBlob(blobs, request.validationDigest, join(directory, 'validation.parquet'));
  const test = await layOutBlob(blobs, request.identity.dataDigest, join(directory, 'test.parquet'));
  const model = await layOutPackage(blobs, request.identity.modelDigest, join(directory, 'model'));
  const serving =
    champion === undefined
      ? undefined
      : await layOutPackage(blobs, champion.digest, join(directory, 'champion'));
  const scored = scoredFormat(directory, request);
  await prepare(context, model, { signal, progress });
  if (serving !== undefined) {
    // One that cannot answer any more is told of where it is compared with.
    await prepare(context, serving, { signal, progress }).catch(() => signal.throwIfAborted());
  }
  return context.measure(
    {
      task: request.task,
      targetColumn: request.targetColumn,
      validation,
      test,
      pandas: request.python,
      model,
      ...(serving === undefined ? {} : { champion: serving }),
      environments: context.environments.directory,
      slices: request.plan.slices,
      importanceMetric: importanceMetric(request.catalog),
      seed: request.seed,
      ...(scored === undefined ? {} : { scored }),
    },
    { signal, onProgress: (fraction, message) => progress(0.05 + 0.85 * fraction, message) },
  );
};

/** Builds the environment that a model answers from, here: the job has neither network settings nor caches. */
const prepare = async (
  { environments }: EvaluationContext,
  model: PackageOnDisk,
  { signal, progress }: Pick<StepContext, 'signal' | 'progress'>,
): Promise<void> =>
  prepareModel(await readDescription(model), environments, {
    signal,
    onProgress: (message) => progress(0.03, message),
  });

const store = async ({ blobs }: EvaluationContext, text: string): Promise<StoredBlob> =>
  blobs.put(new TextEncoder().encode(text));

const resultOf = (
  { report, card, details, warnings }: ReportRecord,
  request: EvaluateRequest,
): StepResult => {
  const verdict = report.verdict.replace('VERDICT_', '');
  const test = report.metrics.find(({ split, slice }) => split === 'test' && slice === '');
  const primary = test?.metrics.find(({ name }) => name === request.catalog.primary);
  return {
    outputs: [
      {
        name: 'evaluation_report',
        kind: 'evaluation_report',
        id: report.id,
        digest: details.digest,
        size: details.size,
        mediaType: 'application/json',
        attributes: { verdict, modelDigest: report.modelDigest, dataDigest: report.dataDigest },
      },
      { name: 'card', kind: 'card', digest: card.digest, size: card.size, mediaType: 'text/html' },
    ],
    summary: {
      verdict,
      ...(primary === undefined ? {} : { [primary.name]: primary.value, primaryMetric: primary.name }),
      rows: test?.support ?? 0,
      ...(report.champion === '' ? {} : { champion: report.champion }),
      gates: report.gates.map(({ description, passed, reason }) => ({ description, passed, reason })),
    },
    warnings,
  };
};
