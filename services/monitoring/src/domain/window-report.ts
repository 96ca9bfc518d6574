import type { DriftResult as DriftResultMessage, Window } from '@millrace/contracts/monitoring';
import {
  type CompareOptions,
  compareWindow,
  type DriftResult,
  type FeatureWindow,
  profileOfSketch,
  resketch,
} from '@millrace/drift';
import type { ColumnProfile } from '@millrace/tabular';
import { predictionColumn, predictionFeature } from './baseline.ts';
import { findDefects } from './data-quality.ts';
import { type LatencyHistogram, latencyQuantile, mergeLatencies } from './latency-histogram.ts';
import type { DriftSettings } from './monitor.ts';
import type { Baseline, WindowSketch } from './window-sketch.ts';

/** What one revision did in a window. */
export interface RevisionFigures {
  readonly records: number;
  readonly errors: number;
  readonly latencyP50Ms: number;
  readonly latencyP95Ms: number;
}

/** A closed window as it is kept: what others see, and what rules need beyond it. */
export interface WindowReport {
  readonly window: Window;
  readonly revisions: Readonly<Record<string, RevisionFigures>>;
  /** Share of missing values by feature, where there are any. */
  readonly missingRates: Readonly<Record<string, number>>;
  /** Features without a verdict, and why. */
  readonly skipped: readonly { readonly feature: string; readonly reason: string }[];
}

export interface WindowIdentity {
  readonly endpoint: string;
  readonly number: number;
}

/** `<endpoint>/<number>` */
export const windowId = ({ endpoint, number }: WindowIdentity): string => `${endpoint}/${number}`;

const figuresOf = (counts: {
  readonly records: number;
  readonly errors: number;
  readonly latencies: LatencyHistogram;
}): RevisionFigures => ({
  records: counts.records,
  errors: counts.errors,
  latencyP50Ms: latencyQuantile(counts.latencies, 0.5),
  latencyP95Ms: latencyQuantile(counts.latencies, 0.95),
});

const toMessage = (result: DriftResult): DriftResultMessage => ({
  feature: result.feature,
  test: result.test,
  statistic: result.statistic,
  pValue: result.pValue,
  threshold: result.threshold,
  drifted: result.drifted,
  baselineCount: result.baselineCount,
  windowCount: result.windowCount,
  reason: `${result.reason} (${result.method}, corrected p = ${result.adjustedPValue.toPrecision(3)})`,
  psi: result.psi,
});

/** Features that came in this window or in one before; one that no client ever sent is no input of the model. */
const knownFeatures = (
  sketch: WindowSketch,
  baseline: Baseline,
  sentBefore: ReadonlySet<string>,
): FeatureWindow[] =>
  [...baseline.features].flatMap(([name, column]) => {
    const feature = sketch.features.get(name);
    const known = sketch.sent.has(name) || sentBefore.has(name);
    return feature !== undefined && known ? [{ name, baseline: column, sketch: feature }] : [];
  });

/** Predictions against their pinned profile, or against the one learned from an earlier window. */
const predictionWindow = (
  sketch: WindowSketch,
  baseline: Baseline,
  learned: ColumnProfile | undefined,
): FeatureWindow[] => {
  if (baseline.prediction !== undefined) {
    return [{ name: predictionFeature, baseline: baseline.prediction, sketch: sketch.prediction }];
  }
  if (learned === undefined) return [];
  return [{ name: predictionFeature, baseline: learned, sketch: resketch(sketch.prediction, learned) }];
};

/** Fewer predictions make no baseline. */
const minLearned = 100;

/**
 * The baseline that this window gives to the predictions of later ones: when none is pinned or learned yet and the
 * inputs do not drift.
 */
export const learnPredictions = (
  sketch: WindowSketch,
  baseline: Baseline,
  { window }: WindowReport,
): ColumnProfile | undefined => {
  if (baseline.prediction !== undefined || window.drifted || sketch.prediction.count < minLearned)
    return undefined;
  return profileOfSketch(predictionColumn, sketch.prediction);
};

const compareOptions = (
  { falseAlarmRate, minEffect, tests }: DriftSettings,
  seed: number,
): CompareOptions => ({
  falseAlarmRate,
  minEffect,
  seed,
  ...(tests.length === 0 ? {} : { tests }),
});

const missingRatesOf = (features: readonly FeatureWindow[]): Record<string, number> =>
  Object.fromEntries(
    features.flatMap(({ name, sketch }) => {
      const total = sketch.count + sketch.missing + sketch.invalid;
      return sketch.missing === 0 ? [] : [[name, sketch.missing / total] as const];
    }),
  );

const isoTime = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString();

export interface Measured {
  readonly sketch: WindowSketch;
  readonly baseline: Baseline;
  readonly settings: DriftSettings;
  /** Features that came in earlier windows of the same binding. */
  readonly sentBefore: ReadonlySet<string>;
  /** What predictions are compared with where no profile is pinned. */
  readonly learnedPredictions?: ColumnProfile;
}

/** Measures a complete window against its baseline. */
export const reportWindow = (identity: WindowIdentity, measured: Measured): WindowReport => {
  const { sketch, baseline, settings, sentBefore } = measured;
  const features = knownFeatures(sketch, baseline, sentBefore);
  const known = new Set(features.map(({ name }) => name));
  const predictions = predictionWindow(sketch, baseline, measured.learnedPredictions);
  const report = compareWindow([...features, ...predictions], compareOptions(settings, baseline.seed));
  const level = settings.falseAlarmRate / Math.max(1, features.length);
  const latencies: LatencyHistogram = {};
  for (const counts of sketch.revisions.values()) mergeLatencies(latencies, counts.latencies);
  const revisions = [...sketch.revisions];
  return {
    window: {
      ...identity,
      id: windowId(identity),
      version: 1,
      closed: true,
      from: isoTime(sketch.from),
      to: isoTime(sketch.to),
      records: sketch.records,
      errors: sketch.errors,
      latencyP50Ms: latencyQuantile(latencies, 0.5),
      latencyP95Ms: latencyQuantile(latencies, 0.95),
      drift: report.results.map(toMessage),
      drifted: report.drifted,
      labelled: 0,
      performance: {},
      qualityFindings: features.flatMap(({ name, baseline: column, sketch: feature }) =>
        findDefects(name, column, feature, level),
      ),
      recordsByRevision: Object.fromEntries(revisions.map(([revision, { records }]) => [revision, records])),
    },
    revisions: Object.fromEntries(revisions.map(([revision, counts]) => [revision, figuresOf(counts)])),
    missingRates: missingRatesOf(features),
    skipped: [
      ...report.skipped,
      ...[...baseline.features.keys()]
        .filter((name) => !known.has(name))
        .map((feature) => ({ feature, reason: 'never sent to the endpoint' })),
    ],
  };
};

/** Results in an event or an alert: a wide model must not make messages that the broker refuses. */
const maxEvidence = 100;

/** The results that matter, largest effect first. */
export const strongestDrift = (results: readonly DriftResultMessage[]): DriftResultMessage[] =>
  results
    .filter(({ drifted }) => drifted)
    .sort((a, b) => b.psi - a.psi)
    .slice(0, maxEvidence);

/** A window as events show it: of its tests those that drifted. */
export const windowForEvent = (window: Window): Window => ({
  ...window,
  drift: strongestDrift(window.drift),
  qualityFindings: window.qualityFindings.slice(0, maxEvidence),
});
