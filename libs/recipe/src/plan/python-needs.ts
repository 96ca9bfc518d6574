import { type JsonObject, type Recipe, scoringStepNames } from '../types.ts';

/** Which of a recipe's two graphs runs: from data to a watched endpoint, or a batch through a registered model. */
export type Graph = 'training' | 'scoring';

export const graphOf = (step: string): Graph =>
  (scoringStepNames as readonly string[]).includes(step) ? 'scoring' : 'training';

/**
 * Packages that the settings of a Python recipe take beside what the project requires, as requirements. They are
 * those of the whole graph, as all steps of a run share one environment.
 */
export const pythonNeeds = (recipe: Recipe, graph: Graph): readonly string[] => {
  if (recipe.runtime !== 'python') return [];
  if (graph === 'scoring') {
    // The model scores in an environment of its own.
    return recipe.scoring.ingest_scoring?.config.using === 'delta' ? ['deltalake'] : [];
  }
  const train = recipe.steps.train?.config ?? {};
  const tuning = train.tuning as JsonObject | undefined;
  const isAuto = train.using === 'automl/flaml';
  return [
    ...(recipe.steps.ingest?.config.using === 'delta' ? ['deltalake'] : []),
    ...(isAuto ? ['flaml[automl]'] : []),
    ...(tuning?.enabled === true && !isAuto ? ['hyperopt'] : []),
  ];
};
