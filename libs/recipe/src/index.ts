export { durationMs } from './duration.ts';
export { type LoadedRecipe, type LoadOptions, loadRecipe } from './load-recipe.ts';
export { recipeSchema } from './schema-check.ts';
export { filesAt, isRemote } from './snapshot/locations.ts';
export { normalizeProjectPath } from './snapshot/project-path.ts';
export type {
  CustomMetric,
  JsonObject,
  JsonValue,
  ProjectFiles,
  Recipe,
  RecipeKind,
  StepName,
  StepSection,
  Task,
} from './types.ts';
export { stepNames } from './types.ts';
