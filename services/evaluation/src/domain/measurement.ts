import type {
  CalibrationPoint,
  ConfusionMatrix,
  Difference,
  Importance,
  Interval,
  ResidualSummary,
} from '@millrace/metrics';

/** A metric with its uncertainty. */
export interface MetricEstimate {
  readonly name: string;
  readonly value: number;
  /** Absent for metrics that the project computes, and where resampling gives none. */
  readonly interval?: Interval;
}

export interface SplitMeasurement {
  readonly rowCount: number;
  readonly metrics: readonly MetricEstimate[];
}

export interface SliceMeasurement {
  readonly name: string;
  /** The condition that its rows meet. */
  readonly where: string;
  /** Rows. */
  readonly support: number;
  readonly minSupport: number;
  /** Empty below the minimum support. */
  readonly metrics: readonly MetricEstimate[];
}

/** The serving model on the same test rows, and what changes with the new one. */
export interface ChampionMeasurement {
  readonly metrics: Readonly<Record<string, number>>;
  /** New model minus champion. */
  readonly differences: Readonly<Record<string, Difference>>;
}

export interface CurvePoint {
  readonly falsePositiveRate: number;
  readonly truePositiveRate: number;
  readonly precision: number;
  readonly predictedShare: number;
}

export type Plots =
  | {
      readonly kind: 'regression';
      /** Actual and predicted values of some rows. */
      readonly points: readonly (readonly [actual: number, predicted: number])[];
      readonly residuals: ResidualSummary;
    }
  | {
      readonly kind: 'classification';
      readonly confusion: ConfusionMatrix;
      /** One class against the rest; empty without probabilities. */
      readonly curves: readonly { readonly label: string; readonly points: readonly CurvePoint[] }[];
      readonly calibration: readonly CalibrationPoint[];
    };

/** The test rows that the model did worst on. */
export interface WorstRows {
  /** `error`, `prediction`, the target, then features. */
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | boolean | null)[])[];
}

/** Everything measured of one model, before anything is decided. Plain JSON. */
export interface Measurement {
  readonly validation: SplitMeasurement;
  readonly test: SplitMeasurement;
  readonly slices: readonly SliceMeasurement[];
  readonly champion?: ChampionMeasurement;
  /** Why the champion could not be measured on these rows. */
  readonly championProblem?: string;
  readonly plots: Plots;
  readonly importance: {
    readonly metric: string;
    /** Test rows that it was measured on. */
    readonly rowCount: number;
    readonly features: readonly Importance[];
  };
  readonly worst: WorstRows;
  readonly warnings: readonly string[];
}
