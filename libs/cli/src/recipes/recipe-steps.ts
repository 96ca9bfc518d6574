import { type Recipe, scoringStepNames, stepNames } from '@millrace/recipe';

/** The steps of training that a recipe has, in their order. */
const trainingSteps = ({ steps }: Recipe): readonly string[] =>
  stepNames.filter((name) => steps[name] !== undefined);

/** The steps of batch scoring that a recipe has, in their order. */
const scoringSteps = ({ scoring }: Recipe): readonly string[] =>
  scoringStepNames.filter((name) => scoring[name] !== undefined);

/** The steps that a recipe has: those of training, then those of batch scoring, each in their order. */
export const stepsOf = (recipe: Recipe): readonly string[] => [
  ...trainingSteps(recipe),
  ...scoringSteps(recipe),
];

/** The steps of the graph that a run up to `target` (the whole training, when absent) takes. */
export const stepsTo = (recipe: Recipe, target: string | undefined): readonly string[] => {
  const scoring = scoringSteps(recipe);
  return target !== undefined && scoring.includes(target) ? scoring : trainingSteps(recipe);
};
