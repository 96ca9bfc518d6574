export { estimatorNamed, estimators } from './estimators/catalog.ts';
export type { Estimator, FitInput, FitStep, FittedModel, Model, Target } from './estimators/estimator.ts';
export { type ParameterDefinition, type Params, resolveParams } from './estimators/parameters.ts';
export { type ImportedModel, type ImportOptions, importModel } from './import/import-model.ts';
export { answersAsOnnx, type OnnxParity } from './onnx/onnx-to-serve.ts';
export { buildPackage, flavorOf, type PackageInput } from './package/build.ts';
export { type CheckInputOptions, type Row, tableFromRows, tableFromTable } from './package/check-input.ts';
export {
  digestOf,
  type Manifest,
  type ManifestFile,
  manifestMediaType,
  manifestOf,
  manifestOfFiles,
  type PackageFiles,
  parseManifest,
  readPackage,
} from './package/manifest.ts';
export { type Mlmodel, readMlmodel } from './package/mlmodel.ts';
export type {
  ModelEnvironment,
  PackagedEstimator,
  PackagedTransform,
  StateFile,
  UserFunction,
} from './package/model-definition.ts';
export type { UserCodeLimits } from './package/model-process.ts';
export { importedDirectory, ownFiles } from './package/own-files.ts';
export { type PickleReport, pickleReportFile } from './package/pickle-report.ts';
export { loadPredictor, type Predictor, type PredictorOptions } from './package/predictor.ts';
export {
  type FeatureSignature,
  inferSignature,
  mlflowSignature,
  type Signature,
} from './package/signature.ts';
export { packageVersions } from './package-versions.ts';
export {
  type ClassificationPrediction,
  classification,
  labelsOf,
  type Prediction,
  type RegressionPrediction,
  Task,
} from './prediction.ts';
export {
  describesModel,
  type EnvironmentBuilder,
  packageEnvironmentSpec,
  prepareModel,
} from './python/environment.ts';
export { type LossCurve, shouldStop } from './search/median-stop.ts';
export {
  createSearch,
  type EarlyStop,
  type Search,
  type SearchAlgorithm,
  type SearchOptions,
  type Suggestion,
  searchAlgorithms,
} from './search/search.ts';
export { parseSearchSpace, type SearchSpace } from './search/space.ts';
export { type Cell, columnArrays, columnOf, takeRows, withoutColumns } from './table-access.ts';
export { classesOf, type Examples, examplesOf, labelScalar } from './target.ts';
export { applyTransform } from './transform/apply.ts';
export { fitTransform } from './transform/fit.ts';
export { autoTransform, type ColumnRule, parseTransformSpec, type TransformSpec } from './transform/spec.ts';
export type { TransformState } from './transform/state.ts';
export { checkColumns, checkPrediction } from './user-code/check-output.ts';
export {
  type CustomMetricReference,
  computeCustomMetrics,
  customMetricsFile,
  metricTable,
} from './user-code/custom-metrics.ts';
export { functionName, loadUserEstimator, loadUserTransform } from './user-code/user-functions.ts';
export { decodeState, encodeState } from './user-code/user-state.ts';
export type * from './user-steps.ts';
