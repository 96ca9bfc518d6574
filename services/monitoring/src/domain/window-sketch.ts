import type { InferenceRecord, Scalar } from '@millrace/contracts/deployment';
import {
  CategoricalSketch,
  defaultSampleCapacity,
  type FeatureSketch,
  type FeatureSketchJson,
  mergeSketch,
  NumericSketch,
  newSketch,
  rowPriority,
  sketchFromJson,
} from '@millrace/drift';
import type { ColumnProfile } from '@millrace/tabular';
import { addLatency, type LatencyHistogram, mergeLatencies } from './latency-histogram.ts';

/** What a window is measured against. */
export interface Baseline {
  /** Columns that are watched, by name. */
  readonly features: ReadonlyMap<string, ColumnProfile>;
  /** Absent where no profile of predictions was given: then a first window becomes it (see `window-report.ts`). */
  readonly prediction?: ColumnProfile;
  /** Whether predictions are numbers; labels otherwise. */
  readonly numericPrediction: boolean;
  readonly seed: number;
}

interface RevisionCounts {
  records: number;
  errors: number;
  readonly latencies: LatencyHistogram;
}

export interface WindowSketchJson {
  readonly records: number;
  readonly errors: number;
  readonly from: number | null;
  readonly to: number | null;
  readonly revisions: Readonly<Record<string, RevisionCounts>>;
  readonly features: Readonly<Record<string, FeatureSketchJson>>;
  readonly sent: readonly string[];
  readonly prediction: FeatureSketchJson;
}

export const scalarValue = (scalar: Scalar | undefined): number | string | boolean | null =>
  scalar?.kind?.value ?? null;

/** Values kept for exact statistics per window, over all features: bounds memory and the size of a stored part. */
const maxSampleValues = 200_000;

const sampleCapacity = ({ features }: Baseline): number =>
  Math.max(100, Math.min(defaultSampleCapacity, Math.floor(maxSampleValues / Math.max(1, features.size))));

const predictionSketch = ({ prediction, numericPrediction }: Baseline): FeatureSketch => {
  if (prediction !== undefined) return newSketch(prediction);
  return numericPrediction ? new NumericSketch([0, 0], defaultSampleCapacity) : new CategoricalSketch([]);
};

/** Everything that a window keeps of its records, in constant memory; merging is associative and commutative. */
export class WindowSketch {
  records = 0;
  errors = 0;
  /** Time of the earliest and latest record, ms since the epoch. */
  from: number | undefined;
  to: number | undefined;
  readonly revisions = new Map<string, RevisionCounts>();
  readonly features: Map<string, FeatureSketch>;
  /** Features that came with at least one record. */
  readonly sent = new Set<string>();
  readonly prediction: FeatureSketch;
  readonly #seed: number;

  constructor(baseline: Baseline) {
    this.#seed = baseline.seed;
    const capacity = sampleCapacity(baseline);
    this.features = new Map(
      [...baseline.features].map(([name, column]) => [name, newSketch(column, capacity)]),
    );
    this.prediction = predictionSketch(baseline);
  }

  /** `rowId` must be the same at each delivery of the record. */
  add(record: InferenceRecord, rowId: string, time: number): void {
    this.records++;
    this.from = Math.min(this.from ?? time, time);
    this.to = Math.max(this.to ?? time, time);
    this.#countRevision(record);
    // A refused request's values were never predicted on: they are an error, not data.
    if (record.error !== '') return;
    const priority = rowPriority(rowId, this.#seed);
    for (const [name, sketch] of this.features) {
      const scalar = Object.hasOwn(record.features, name) ? record.features[name] : undefined;
      if (scalar !== undefined) this.sent.add(name);
      sketch.add(scalarValue(scalar), priority);
    }
    this.prediction.add(scalarValue(record.prediction), priority);
  }

  merge(other: WindowSketch): void {
    this.records += other.records;
    this.errors += other.errors;
    if (other.from !== undefined) this.from = Math.min(this.from ?? other.from, other.from);
    if (other.to !== undefined) this.to = Math.max(this.to ?? other.to, other.to);
    for (const [revision, counts] of other.revisions) {
      const own = this.#revision(revision);
      own.records += counts.records;
      own.errors += counts.errors;
      mergeLatencies(own.latencies, counts.latencies);
    }
    for (const name of other.sent) this.sent.add(name);
    for (const [name, sketch] of this.features) {
      const theirs = other.features.get(name);
      if (theirs !== undefined) mergeSketch(sketch, theirs);
    }
    mergeSketch(this.prediction, other.prediction);
  }

  toJSON(): WindowSketchJson {
    return {
      records: this.records,
      errors: this.errors,
      from: this.from ?? null,
      to: this.to ?? null,
      revisions: Object.fromEntries(this.revisions),
      features: Object.fromEntries([...this.features].map(([name, sketch]) => [name, sketch.toJSON()])),
      sent: [...this.sent].sort(),
      prediction: this.prediction.toJSON(),
    };
  }

  static fromJSON(json: WindowSketchJson, baseline: Baseline): WindowSketch {
    const sketch = new WindowSketch(baseline);
    sketch.records = json.records;
    sketch.errors = json.errors;
    sketch.from = json.from ?? undefined;
    sketch.to = json.to ?? undefined;
    for (const [revision, counts] of Object.entries(json.revisions)) {
      sketch.revisions.set(revision, { ...counts, latencies: { ...counts.latencies } });
    }
    for (const name of json.sent) sketch.sent.add(name);
    for (const [name, feature] of sketch.features) {
      const kept = json.features[name];
      if (kept !== undefined) mergeSketch(feature, sketchFromJson(kept));
    }
    mergeSketch(sketch.prediction, sketchFromJson(json.prediction));
    return sketch;
  }

  #countRevision(record: InferenceRecord): void {
    const counts = this.#revision(String(record.revision));
    counts.records++;
    addLatency(counts.latencies, record.latencyMs);
    if (record.error === '') return;
    counts.errors++;
    this.errors++;
  }

  #revision(revision: string): RevisionCounts {
    const counts = this.revisions.get(revision) ?? { records: 0, errors: 0, latencies: {} };
    this.revisions.set(revision, counts);
    return counts;
  }
}
