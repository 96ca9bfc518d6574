import type { MetricSet, Report } from '@millrace/contracts/evaluation';
import { Verdict as WireVerdict } from '@millrace/contracts/evaluation';
import { FailedPrecondition } from '@millrace/errors';
import type { GateOutcome } from './decide-gates.ts';
import { Verdict } from './decide-gates.ts';
import type { Measurement, MetricEstimate } from './measurement.ts';
import type { MetricCatalog } from './metric-catalog.ts';

/** What a report says beside what was measured. */
export interface ReportFacts {
  readonly id: string;
  readonly modelDigest: string;
  readonly modelName: string;
  readonly datasetVersionId: string;
  /** Digest of the test split. */
  readonly dataDigest: string;
  readonly trainingRunId: string;
  readonly pipelineRunId: string;
  /** `flights/2`; empty without a champion. */
  readonly champion: string;
  readonly cardDigest: string;
  readonly createdAt: string;
}

const wireVerdicts: Record<Verdict, WireVerdict> = {
  [Verdict.validated]: WireVerdict.VERDICT_VALIDATED,
  [Verdict.rejected]: WireVerdict.VERDICT_REJECTED,
  [Verdict.unknown]: WireVerdict.VERDICT_UNKNOWN,
};

/** The report as it is stored and published. */
export const buildReport = (
  facts: ReportFacts,
  catalog: MetricCatalog,
  measurement: Measurement,
  outcomes: readonly GateOutcome[],
  verdict: Verdict,
): Report => ({
  ...facts,
  task: catalog.task,
  verdict: wireVerdicts[verdict],
  metrics: metricSets(catalog, measurement),
  gates: outcomes.map(({ gate, description, slice, observed, champion, passed, reason }) => ({
    description,
    metric: gate.metric,
    slice,
    // The wire has no "none"; the reason says when nothing was compared.
    observed: observed ?? 0,
    threshold: gate.limit,
    champion,
    passed,
    reason,
  })),
  importance: measurement.importance.features.map((importance) => ({ ...importance })),
});

const metricSets = (catalog: MetricCatalog, { validation, test, slices }: Measurement): MetricSet[] => {
  const values = (metrics: readonly MetricEstimate[]) =>
    metrics.map(({ name, value, interval }) => ({
      name,
      value,
      interval: interval === undefined ? undefined : { ...interval },
      greaterIsBetter: catalog.find(name)?.greaterIsBetter ?? false,
    }));
  const whole = (split: string, { rowCount, metrics }: Measurement['test']): MetricSet => ({
    split,
    slice: '',
    where: '',
    support: rowCount,
    tooSmall: false,
    metrics: values(metrics),
  });
  return [
    whole('test', test),
    whole('validation', validation),
    ...slices.map(({ name, where, support, minSupport, metrics }) => ({
      split: 'test',
      slice: name,
      where,
      support,
      tooSmall: support < minSupport,
      metrics: values(metrics),
    })),
  ];
};

/** The error of a step whose model failed a gate: says which, with what was found and what was demanded. */
export const gatesFailed = ({ gates }: Report): FailedPrecondition => {
  const failed = gates.filter(({ passed }) => !passed);
  const lines = failed.map(({ description, reason }) => `${description}: ${reason}`);
  const criteria = gates.length === 1 ? 'the only criterion' : `${failed.length} of ${gates.length} criteria`;
  return new FailedPrecondition(`the model failed ${criteria}: ${lines.join('; ')}`, {
    hint: 'Nothing was registered. The evaluation card shows where the model falls short.',
    violations: lines.map((message) => ({ path: 'steps.evaluate.validation_criteria', message })),
  });
};
