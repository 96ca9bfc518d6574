export { durationMs } from './duration.ts';
export { type LoadedRecipe, type LoadOptions, loadRecipe } from './load-recipe.ts';
export { type CodeClosure, type CodeFile, codeClosure } from './plan/code-files.ts';
export { canonicalJson } from './plan/digest.ts';
export { type DigestedFiles, type PlannedStep, planSteps, refuseScoring } from './plan/plan-steps.ts';
export { isRequirementsFile } from './plan/python-files.ts';
export { type Graph, graphOf, pythonNeeds } from './plan/python-needs.ts';
export { recipeSchema } from './schema-check.ts';
export { filesAt, isRemote } from './snapshot/locations.ts';
export {
  buildManifest,
  decodeManifest,
  encodeManifest,
  type Manifest,
  type ManifestFile,
  type ManifestLimits,
  manifestLimits,
} from './snapshot/manifest.ts';
export { normalizeProjectPath } from './snapshot/project-path.ts';
export { listProjectFiles, readProjectFile } from './snapshot/read-project.ts';
export { type FoundFile, type SnapshotRecipe, selectProjectFiles } from './snapshot/select-files.ts';
export { stepCodeFile } from './step-code.ts';
export type {
  CustomMetric,
  JsonObject,
  JsonValue,
  ProjectFiles,
  Recipe,
  RecipeKind,
  Runtime,
  ScoringStepName,
  StepName,
  StepSection,
  Task,
} from './types.ts';
export { scoringStepNames, stepNames } from './types.ts';
