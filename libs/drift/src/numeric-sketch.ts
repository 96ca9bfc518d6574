import { Invalid } from '@millrace/errors';
import { PrioritySample, type PrioritySampleJson } from './priority-sample.ts';

/** Numbers beyond this count as invalid: their squares overflow. */
const largest = 1e150;

export interface NumericSketchJson {
  readonly kind: 'numeric';
  readonly edges: readonly number[];
  readonly bins: readonly number[];
  readonly under: number;
  readonly over: number;
  readonly count: number;
  readonly missing: number;
  readonly invalid: number;
  readonly mean: number;
  readonly m2: number;
  readonly min: number | null;
  readonly max: number | null;
  readonly sample: PrioritySampleJson;
}

/**
 * What a window keeps of a numeric feature, in constant memory: a histogram over the baseline's edges with what
 * lies outside them, moments, extremes and a bounded sample. Merging is associative and commutative: exactly for
 * counts, extremes and sample, to rounding for the moments.
 */
export class NumericSketch {
  readonly kind = 'numeric';
  readonly edges: Float64Array;
  readonly bins: Float64Array;
  readonly sample: PrioritySample;
  /** Values below the baseline's minimum. */
  under = 0;
  /** Values above the baseline's maximum. */
  over = 0;
  /** Finite numbers seen. */
  count = 0;
  missing = 0;
  /** Values that are present and are not numbers of at most 1e150. */
  invalid = 0;
  mean = 0;
  /** Sum of squared differences from the mean. */
  m2 = 0;
  min = Number.POSITIVE_INFINITY;
  max = Number.NEGATIVE_INFINITY;

  /** `edges`: at least two, ascending; two equal ones stand for a column of one value. */
  constructor(edges: ArrayLike<number>, sampleCapacity: number) {
    if (edges.length < 2) throw Invalid.field('edges', `needs at least 2, got ${edges.length}`);
    this.edges = Float64Array.from(edges);
    this.bins = new Float64Array(edges.length - 1);
    this.sample = new PrioritySample(sampleCapacity);
  }

  /** Adds one value of the row with this priority (see `rowPriority`). `null` and `undefined` are missing. */
  add(value: unknown, priority: number): void {
    if (value === null || value === undefined) {
      this.missing++;
      return;
    }
    if (typeof value !== 'number' || !(Math.abs(value) <= largest)) {
      this.invalid++;
      return;
    }
    this.#addNumber(value, priority);
  }

  /** Adds a column; NaN is missing. */
  addAll(values: Float64Array, priorities: Uint32Array): void {
    for (let i = 0; i < values.length; i++) {
      const value = values[i] ?? Number.NaN;
      if (Number.isNaN(value)) this.missing++;
      else this.add(value, priorities[i] ?? 0);
    }
  }

  merge(other: NumericSketch): void {
    if (other.edges.length !== this.edges.length || other.edges.some((edge, i) => edge !== this.edges[i])) {
      throw new Invalid('sketches over different edges cannot be merged');
    }
    for (let i = 0; i < this.bins.length; i++) this.bins[i] = (this.bins[i] ?? 0) + (other.bins[i] ?? 0);
    this.#mergeMoments(other);
    this.under += other.under;
    this.over += other.over;
    this.missing += other.missing;
    this.invalid += other.invalid;
    this.min = Math.min(this.min, other.min);
    this.max = Math.max(this.max, other.max);
    this.sample.merge(other.sample);
  }

  /** Sample standard deviation (divisor n − 1); 0 below two values. */
  get std(): number {
    return this.count < 2 ? 0 : Math.sqrt(this.m2 / (this.count - 1));
  }

  toJSON(): NumericSketchJson {
    return {
      kind: this.kind,
      edges: [...this.edges],
      bins: [...this.bins],
      under: this.under,
      over: this.over,
      count: this.count,
      missing: this.missing,
      invalid: this.invalid,
      mean: this.mean,
      m2: this.m2,
      min: this.count === 0 ? null : this.min,
      max: this.count === 0 ? null : this.max,
      sample: this.sample.toJSON(),
    };
  }

  static fromJSON(json: NumericSketchJson): NumericSketch {
    const sketch = new NumericSketch(json.edges, json.sample.capacity);
    sketch.bins.set(json.bins);
    sketch.under = json.under;
    sketch.over = json.over;
    sketch.count = json.count;
    sketch.missing = json.missing;
    sketch.invalid = json.invalid;
    sketch.mean = json.mean;
    sketch.m2 = json.m2;
    sketch.min = json.min ?? Number.POSITIVE_INFINITY;
    sketch.max = json.max ?? Number.NEGATIVE_INFINITY;
    sketch.sample.merge(PrioritySample.fromJSON(json.sample));
    return sketch;
  }

  #addNumber(value: number, priority: number): void {
    this.count++;
    // Welford's update: Technometrics 4 (1962) 419.
    const delta = value - this.mean;
    this.mean += delta / this.count;
    this.m2 += delta * (value - this.mean);
    if (value < this.min) this.min = value;
    if (value > this.max) this.max = value;
    this.#countBin(value);
    this.sample.add(value, priority);
  }

  #countBin(value: number): void {
    const last = this.edges.length - 1;
    if (value < (this.edges[0] ?? 0)) {
      this.under++;
      return;
    }
    if (value > (this.edges[last] ?? 0)) {
      this.over++;
      return;
    }
    let low = 0;
    let high = last - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (value >= (this.edges[middle] ?? 0)) low = middle;
      else high = middle - 1;
    }
    this.bins[low] = (this.bins[low] ?? 0) + 1;
  }

  /** Chan, Golub & LeVeque: Am. Stat. 37 (1983) 242. */
  #mergeMoments(other: NumericSketch): void {
    const total = this.count + other.count;
    if (total === 0) return;
    const delta = other.mean - this.mean;
    this.m2 += other.m2 + (delta * delta * this.count * other.count) / total;
    this.mean += (delta * other.count) / total;
    this.count = total;
  }
}
