import { functionKeys, stepCodeFile } from '../step-code.ts';
import type { JsonObject, ProjectFiles, Recipe, StepName } from '../types.ts';

/** Why a step cannot run in the built-in runtime; empty when it can. */
export const pythonReasons = (recipe: Recipe, step: StepName, files: ProjectFiles): readonly string[] => {
  const config = recipe.steps[step]?.config ?? {};
  return [
    ...functionReasons(step, config, files),
    ...(usesCustomMetrics(recipe, step) ? moduleReason('custom_metrics', 'custom_metrics', files) : []),
    ...(settingReasons[step]?.(config) ?? []),
  ];
};

export const usesCustomMetrics = (recipe: Recipe, step: StepName): boolean =>
  recipe.customMetrics.length > 0 && (step === 'train' || step === 'evaluate');

const functionReasons = (step: StepName, config: JsonObject, files: ProjectFiles): readonly string[] =>
  (functionKeys[step] ?? [])
    .filter(({ key }) => typeof config[key] === 'string')
    .flatMap(({ module, key }) =>
      pythonOnly.has(step)
        ? [`steps.${step}.${key}: functions of ${step} need the Python runtime`]
        : moduleReason(module, `steps.${step}.${key}`, files),
    );

/** Steps whose user functions the built-in runtime does not call. */
const pythonOnly: ReadonlySet<StepName> = new Set<StepName>(['ingest', 'split']);

const moduleReason = (module: string, key: string, files: ProjectFiles): readonly string[] => {
  const file = stepCodeFile(module, files);
  return file?.endsWith('.py') === true ? [`${key}: ${file} needs the Python runtime`] : [];
};

const settingReasons: Readonly<Partial<Record<StepName, (config: JsonObject) => readonly string[]>>> = {
  ingest: ({ using }) =>
    using === 'delta' || using === 'spark_sql'
      ? [`steps.ingest.using: ${using} needs the Python runtime`]
      : [],
  train: (config) => {
    const reasons: string[] = [];
    if (config.using === 'automl/flaml')
      reasons.push('steps.train.using: automl/flaml needs the Python runtime');
    if (config.calibrate_proba !== undefined) {
      reasons.push('steps.train.calibrate_proba: needs the Python runtime');
    }
    const tuning = config.tuning as JsonObject | null | undefined;
    if (tuning?.enabled === true && tuning.early_stop_fn !== undefined) {
      reasons.push('steps.train.tuning.early_stop_fn: needs the Python runtime; early_stop is built in');
    }
    return reasons;
  },
};
