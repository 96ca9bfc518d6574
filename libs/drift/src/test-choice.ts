import type { ColumnProfile } from '@millrace/tabular';
import type { FeatureSketch } from './feature-baseline.ts';

/** Names as in `DriftResult.test` of the monitoring contract. */
export const DriftTest = {
  psi: 'psi',
  kolmogorovSmirnov: 'kolmogorov_smirnov',
  chiSquared: 'chi_squared',
  jensenShannon: 'jensen_shannon',
  wasserstein: 'wasserstein',
  totalVariation: 'total_variation',
} as const;
export type DriftTest = (typeof DriftTest)[keyof typeof DriftTest];

export interface TestChoice {
  readonly test: DriftTest;
  readonly reason: string;
}

/** Numbers with at most this many different values repeat too much for a test made for continuous ones. */
const fewValues = 20;

/** The default test of a feature, by its type and the size of the window. */
export const chooseTest = (column: ColumnProfile, sketch: FeatureSketch): TestChoice => {
  if (sketch.kind === 'categorical') {
    return sketch.count <= 1000
      ? { test: DriftTest.chiSquared, reason: 'categories, at most 1,000 values in the window' }
      : { test: DriftTest.psi, reason: 'categories, more than 1,000 values in the window' };
  }
  if (column.distinct <= fewValues) {
    return { test: DriftTest.chiSquared, reason: `numbers with at most ${fewValues} different values` };
  }
  return sketch.count <= sketch.sample.capacity
    ? {
        test: DriftTest.kolmogorovSmirnov,
        reason: 'continuous numbers, every value of the window is kept: no bins needed',
      }
    : {
        test: DriftTest.psi,
        reason: `continuous numbers, more than the ${sketch.sample.capacity} values kept: bins count them all`,
      };
};
