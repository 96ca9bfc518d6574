import { Invalid } from '@millrace/errors';
import { createRandom, defaultSeed } from '@millrace/random';

export interface Importance {
  readonly feature: string;
  /** Mean worsening of the score when the column is shuffled: the higher, the more the model relies on it. */
  readonly mean: number;
  /** Population standard deviation over the repeats. */
  readonly standardDeviation: number;
}

export interface PermutationOptions {
  readonly features: readonly string[];
  readonly rowCount: number;
  readonly greaterIsBetter: boolean;
  /** Default 5. */
  readonly repeats?: number;
  readonly seed?: number;
  /**
   * Scores the model on the rows with `feature` taken from the rows of `order` (row i gets the value of row
   * `order[i]`), or on the rows as they are when both are absent.
   */
  readonly score: (feature?: string, order?: Uint32Array) => Promise<number> | number;
  /** Called after each feature, for progress. */
  readonly onFeature?: (done: number, all: number) => void;
}

/**
 * Permutation importance (Breiman, Machine Learning 45, 2001; `sklearn.inspection.permutation_importance`),
 * most important first. A feature's shuffles depend on the seed and its name only.
 * @throws Invalid on less than two rows.
 */
export const permutationImportance = async (options: PermutationOptions): Promise<readonly Importance[]> => {
  const { features, rowCount, greaterIsBetter, repeats = 5, seed = defaultSeed, score, onFeature } = options;
  if (rowCount < 2) throw Invalid.field('rowCount', 'shuffling needs two rows');
  const baseline = await score();
  const random = createRandom(seed);
  const importances: Importance[] = [];
  for (const [index, feature] of features.entries()) {
    const shuffles = random.derive(`importance/${feature}`);
    const drops: number[] = [];
    for (let repeat = 0; repeat < repeats; repeat++) {
      const order = shuffles.permutation(rowCount);
      const shuffled = await score(feature, order);
      drops.push(greaterIsBetter ? baseline - shuffled : shuffled - baseline);
    }
    importances.push({ feature, ...meanAndDeviation(drops) });
    onFeature?.(index + 1, features.length);
  }
  return importances.sort((a, b) => b.mean - a.mean || (a.feature < b.feature ? -1 : 1));
};

const meanAndDeviation = (values: readonly number[]) => {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, standardDeviation: Math.sqrt(variance) };
};
