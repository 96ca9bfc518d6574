import type { ColumnType } from './table.ts';

/**
 * What a table looked like when it was profiled: made once, pinned to a dataset version, and read later by drift
 * checks and cards. Pure JSON, no `NaN` or infinities. Timestamps are milliseconds since the epoch, UTC.
 */
export interface DatasetProfile {
  readonly version: 1;
  readonly rowCount: number;
  readonly columns: readonly ColumnProfile[];
}

export interface ColumnProfile {
  readonly name: string;
  readonly type: ColumnType;
  /** Values that are not missing. `count + missing` is the table's row count. */
  readonly count: number;
  readonly missing: number;
  /** Different values, missing not counted; exact unless `distinctApproximate`. */
  readonly distinct: number;
  /** True where `distinct` is an estimate (HyperLogLog, a few per cent off). */
  readonly distinctApproximate: boolean;
  /** For `number`, `integer` and `timestamp` columns with at least one value. */
  readonly numeric?: NumericProfile;
  /** For `string` and `boolean` columns (`"true"`, `"false"`) with at least one value. */
  readonly categorical?: CategoricalProfile;
  /** For `string` columns with at least one value, in characters. */
  readonly length?: LengthProfile;
}

export interface NumericProfile {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
  /** Sample standard deviation (divisor n − 1); 0 for a single value. */
  readonly std: number;
  /** Probability as a decimal string (`"0.25"`) → value, linear interpolation (Hyndman & Fan type 7). */
  readonly quantiles: Readonly<Record<string, number>>;
  readonly bins: Histogram;
  /** Values that are exactly 0. Absent in profiles made before it was counted, as is `histogram`. */
  readonly zeros?: number;
  /** Buckets of equal width from the minimum to the maximum, for a person to look at. */
  readonly histogram?: Histogram;
  /** Ascending. All values when there are at most 2,000, else a deterministic uniform sample of 2,000. */
  readonly sample: readonly number[];
}

/**
 * Bins: B + 1 strictly ascending edges, the outer ones the minimum and the maximum. A bin holds
 * `edges[i] <= value < edges[i + 1]`, the last one also its upper edge. A column of one value has the two equal
 * edges `[v, v]` and one count.
 */
export interface Histogram {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** Columns of several tables side by side, in the order of `names`: splits, or predictions beside the truth. */
export interface Comparison {
  readonly names: readonly string[];
  /** Rows of each table. */
  readonly rows: readonly number[];
  readonly columns: readonly ColumnComparison[];
}

export interface ColumnComparison {
  readonly name: string;
  readonly type: ColumnType;
  /** One for each table. */
  readonly parts: readonly ColumnFigures[];
  /** For `number`, `integer` and `timestamp` columns with a value in any table: common edges, counts of each table. */
  readonly histogram?: { readonly edges: readonly number[]; readonly counts: readonly (readonly number[])[] };
  /** For `string` and `boolean` columns with a value in any table: the most frequent values over all tables. */
  readonly categories?: {
    readonly values: readonly string[];
    /** `counts[table][value]` */
    readonly counts: readonly (readonly number[])[];
    /** Rows of each table whose value is none of them. */
    readonly other: readonly number[];
  };
}

/** Figures of one column in one table. The numeric ones are there when it has a numeric value. */
export interface ColumnFigures {
  readonly count: number;
  readonly missing: number;
  readonly min?: number;
  readonly median?: number;
  readonly max?: number;
  readonly mean?: number;
  /** Sample standard deviation (divisor n − 1); absent for values too large to be squared. */
  readonly std?: number;
  /** Values that are exactly 0. */
  readonly zeros?: number;
}

export interface CategoricalProfile {
  /** Most frequent first, ties by value ascending. */
  readonly top: readonly ValueCount[];
  /** Rows whose value is not missing and not in `top`. */
  readonly other: number;
}

export interface ValueCount {
  readonly value: string;
  readonly count: number;
}

export interface LengthProfile {
  readonly min: number;
  readonly max: number;
  readonly mean: number;
}
