/** What a model learns: a number, or one of a fixed set of classes. */
export const Task = {
  regression: 'regression',
  classification: 'classification',
} as const;
export type Task = (typeof Task)[keyof typeof Task];

/** One predicted number per row. */
export interface RegressionPrediction {
  readonly kind: 'regression';
  readonly values: readonly number[];
}

/**
 * One class per row. Classes are written as text whatever the target's type (`'1'`, `'true'`), in ascending
 * order (numeric order for numeric targets); `labelScalar` of the signature turns one back into its own type.
 */
export interface ClassificationPrediction {
  readonly kind: 'classification';
  readonly classes: readonly string[];
  readonly labels: readonly string[];
  /** `probabilities[row][class]`; each row sums to 1. Absent when user code gives labels only. */
  readonly probabilities?: readonly (readonly number[])[];
}

export type Prediction = RegressionPrediction | ClassificationPrediction;

/** The most probable class of each row; the first one on a tie. */
export const labelsOf = (
  classes: readonly string[],
  probabilities: readonly (readonly number[])[],
): string[] =>
  probabilities.map((row) => {
    let best = 0;
    for (let index = 1; index < row.length; index += 1) {
      if ((row[index] ?? 0) > (row[best] ?? 0)) best = index;
    }
    return classes[best] ?? '';
  });

/** A classification prediction whose labels are the most probable classes. */
export const classification = (
  classes: readonly string[],
  probabilities: readonly (readonly number[])[],
): ClassificationPrediction & { readonly probabilities: readonly (readonly number[])[] } => ({
  kind: 'classification',
  classes,
  labels: labelsOf(classes, probabilities),
  probabilities,
});
