import type { DriftResult } from '@millrace/contracts/monitoring';
import { findMetric, type TaskDefinition } from '@millrace/metrics';
import { predictionFeature } from './baseline.ts';
import { Check, type Rule } from './monitor.ts';
import { type RevisionFigures, strongestDrift, type WindowReport } from './window-report.ts';

/** What a rule says of one window. */
export interface Verdict {
  readonly broken: boolean;
  /** One sentence with the figures. */
  readonly summary: string;
  readonly evidence: readonly DriftResult[];
  readonly observed: number;
  readonly threshold: number;
  /** The revision to blame, where one can be told. */
  readonly revision?: number;
}

/** Fewer labels say little of a metric; fewer requests little of an error rate or a p95. */
export const minLabelled = 30;
const minRequests = 20;

const driftVerdict = (results: readonly DriftResult[], what: string): Verdict | undefined => {
  if (results.length === 0) return undefined;
  const drifted = strongestDrift(results);
  const [worst] = drifted;
  const names = [...new Set(drifted.map(({ feature }) => feature))];
  return {
    broken: worst !== undefined,
    summary:
      worst === undefined
        ? `${what} does not drift`
        : `${what} drifted: ${names.slice(0, 20).join(', ')}; most ${worst.feature} by ${worst.test} ${worst.statistic.toPrecision(3)} against ${worst.threshold.toPrecision(3)} at n = ${worst.windowCount}`,
    evidence: drifted,
    observed: worst?.statistic ?? 0,
    threshold: worst?.threshold ?? 0,
  };
};

const bounded = (rule: Rule, observed: number, subject: string, unit: string, revision?: string): Verdict => {
  const threshold = rule.threshold ?? 0;
  return {
    broken: observed > threshold,
    summary: `${subject} is ${observed.toPrecision(4)}${unit}, bound ${threshold}${unit}`,
    evidence: [],
    observed,
    threshold,
    ...(revision === undefined ? {} : { revision: Number(revision) }),
  };
};

/** The revision for which `figure` is worst, among those with enough requests. */
const worstRevision = (
  { revisions }: WindowReport,
  figure: (figures: RevisionFigures) => number,
): readonly [revision: string, value: number] | undefined =>
  Object.entries(revisions)
    .filter(([, { records }]) => records >= minRequests)
    .map(([revision, figures]) => [revision, figure(figures)] as const)
    .sort((a, b) => b[1] - a[1])[0];

const requestVerdict = (
  rule: Rule,
  report: WindowReport,
  figure: (figures: RevisionFigures) => number,
  subject: string,
  unit: string,
): Verdict | undefined => {
  const worst = worstRevision(report, figure);
  if (worst === undefined) return undefined;
  return bounded(rule, worst[1], `${subject} of revision ${worst[0]}`, unit, worst[0]);
};

const missingVerdict = (rule: Rule, { missingRates }: WindowReport): Verdict => {
  const [worst] = Object.entries(missingRates).sort((a, b) => b[1] - a[1]);
  return bounded(rule, worst?.[1] ?? 0, `missing rate of ${worst?.[0] ?? 'every feature'}`, '');
};

const qualityVerdict = ({ window }: WindowReport): Verdict => ({
  broken: window.qualityFindings.length > 0,
  summary:
    window.qualityFindings.length > 0 ? window.qualityFindings.slice(0, 20).join('; ') : 'no defects found',
  evidence: [],
  observed: window.qualityFindings.length,
  threshold: 0,
});

const performanceVerdict = (
  rule: Rule,
  { window }: WindowReport,
  task: TaskDefinition,
): Verdict | undefined => {
  const metric = rule.metric ?? '';
  const observed = window.performance[metric];
  if (observed === undefined || window.labelled < minLabelled) return undefined;
  const threshold = rule.threshold ?? 0;
  const higherIsBetter = findMetric(task.type, metric)?.greaterIsBetter ?? false;
  return {
    broken: higherIsBetter ? observed < threshold : observed > threshold,
    summary: `${metric} is ${observed.toPrecision(4)} over ${window.labelled} labels, bound ${threshold}`,
    evidence: [],
    observed,
    threshold,
  };
};

/** Judges a window by a rule; `undefined` when the window holds too little to tell. */
export const judgeWindow = (rule: Rule, report: WindowReport, task: TaskDefinition): Verdict | undefined => {
  const { drift } = report.window;
  switch (rule.check) {
    case Check.featureDrift:
      return driftVerdict(
        drift.filter(({ feature }) => feature !== predictionFeature),
        'input',
      );
    case Check.predictionDrift:
      return driftVerdict(
        drift.filter(({ feature }) => feature === predictionFeature),
        'prediction',
      );
    case Check.missingRate:
      return missingVerdict(rule, report);
    case Check.dataQuality:
      return qualityVerdict(report);
    case Check.errorRate:
      return requestVerdict(rule, report, ({ errors, records }) => errors / records, 'error rate', '');
    case Check.latencyP95:
      return requestVerdict(rule, report, ({ latencyP95Ms }) => latencyP95Ms, 'p95 latency', ' ms');
    case Check.performance:
      return performanceVerdict(rule, report, task);
  }
};
