import type { PredictionRows } from '@millrace/cards';
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

/** How much features move the model's output away from its mean (Shapley values). */
export interface Explanation {
  /** What is moved: `the prediction`, `the probability of late`. */
  readonly output: string;
  /** Test rows that were explained. */
  readonly rowCount: number;
  /** Those that move most first. */
  readonly features: readonly {
    readonly feature: string;
    readonly meanAbsolute: number;
    /** One for each row: how far it moves, and where the feature's value lies from low (0) to high (1). */
    readonly points: readonly { readonly value: number; readonly shade?: number }[];
  }[];
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
  /** Absent when the model gives no number that could be explained. */
  readonly explanation?: Explanation;
  /** The test rows that the model did worst and best on. */
  readonly worst: PredictionRows;
  readonly best: PredictionRows;
  readonly warnings: readonly string[];
}
