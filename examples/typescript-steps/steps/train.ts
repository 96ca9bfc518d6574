/** The model: `steps.train.estimator_method` in recipe.yaml names the function. */

type Columns = Record<string, number[]>;

/** What the model is: kept as JSON. */
interface State {
  readonly names: readonly string[];
  readonly intercept: number;
  readonly weights: readonly number[];
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / values.length;

/** Solves a symmetric positive definite system by elimination with pivots. */
const solve = (matrix: readonly (readonly number[])[], right: readonly number[]): number[] => {
  const rows = matrix.map((row, index) => [...row, right[index] ?? 0]);
  const size = rows.length;
  for (let column = 0; column < size; column += 1) {
    const pivot = rows.slice(column).reduce((best, row, offset) => {
      const isLarger = Math.abs(row[column] ?? 0) > Math.abs(rows[best]?.[column] ?? 0);
      return isLarger ? column + offset : best;
    }, column);
    [rows[column], rows[pivot]] = [rows[pivot] as number[], rows[column] as number[]];
    const lead = rows[column] as number[];
    for (const row of rows.slice(column + 1)) {
      const factor = (row[column] ?? 0) / (lead[column] ?? 1);
      for (let at = column; at <= size; at += 1) row[at] = (row[at] ?? 0) - factor * (lead[at] ?? 0);
    }
  }
  const solution = new Array<number>(size).fill(0);
  for (let index = size - 1; index >= 0; index -= 1) {
    const row = rows[index] as number[];
    const known = solution.reduce((sum, value, at) => (at > index ? sum + value * (row[at] ?? 0) : sum), 0);
    solution[index] = ((row[size] ?? 0) - known) / (row[index] ?? 1);
  }
  return solution;
};

/** A linear model; `alpha` says how far it is held back, and is searched for. */
export const ridge = ({ alpha = 1 }: { alpha?: number } = {}) => ({
  fit: ({ features, target }: { features: Columns; target: number[] }): State => {
    const names = Object.keys(features);
    const means = names.map((name) => mean(features[name] ?? []));
    const centred = names.map((name, index) =>
      (features[name] ?? []).map((value) => value - (means[index] ?? 0)),
    );
    const targetMean = mean(target);
    const product = (left: readonly number[], right: readonly number[]): number =>
      left.reduce((sum, value, row) => sum + value * (right[row] ?? 0), 0);
    const gram = centred.map((left, row) =>
      centred.map((right, column) => product(left, right) + (row === column ? alpha : 0)),
    );
    const residual = target.map((value) => value - targetMean);
    const weights = solve(
      gram,
      centred.map((column) => product(column, residual)),
    );
    const intercept =
      targetMean - weights.reduce((sum, weight, index) => sum + weight * (means[index] ?? 0), 0);
    return { names, intercept, weights };
  },
  predict: ({ state, features }: { state: State; features: Columns }): number[] => {
    const { names, intercept, weights } = state;
    const rows = features[names[0] ?? '']?.length ?? 0;
    return Array.from({ length: rows }, (_, row) =>
      names.reduce(
        (sum, name, index) => sum + (weights[index] ?? 0) * (features[name]?.[row] ?? 0),
        intercept,
      ),
    );
  },
});
