export { benjaminiHochberg } from './benjamini-hochberg.ts';
export { CategoricalSketch, type CategoricalSketchJson, maxNamedUnseen } from './categorical-sketch.ts';
export {
  type CompareOptions,
  compareWindow,
  type DriftReport,
  type DriftResult,
  type FeatureWindow,
} from './compare-window.ts';
export {
  type Counts,
  chiSquaredStatistic,
  jensenShannonDistance,
  jensenShannonDivergence,
  populationStabilityIndex,
  totalVariation,
} from './divergence.ts';
export {
  type AlignedCounts,
  alignCounts,
  defaultSampleCapacity,
  type FeatureSketch,
  type FeatureSketchJson,
  mergeSketch,
  newSketch,
  notComparable,
  sketchFromJson,
} from './feature-baseline.ts';
export { type KolmogorovSmirnov, kolmogorovSmirnov } from './kolmogorov-smirnov.ts';
export { NumericSketch, type NumericSketchJson } from './numeric-sketch.ts';
export { permuteCounts, permuteSamples } from './permutation.ts';
export { PrioritySample, type PrioritySampleJson } from './priority-sample.ts';
export { profileOfSketch, resketch } from './profile-of-sketch.ts';
export { compareProportions, fisherExact, type ProportionTest, twoProportionZ } from './proportion-test.ts';
export { rowPriority } from './row-priority.ts';
export { runTest, type TestOutcome } from './run-test.ts';
export { chiSquaredCritical, chiSquaredSurvival, poissonSurvival } from './special-functions.ts';
export { chooseTest, DriftTest, type TestChoice } from './test-choice.ts';
export { wasserstein } from './wasserstein.ts';
