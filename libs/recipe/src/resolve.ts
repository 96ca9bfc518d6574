import type { Violation } from '@millrace/errors';
import { primaryMetricOf } from '@millrace/metrics/table';
import { defaultSeed } from '@millrace/random';
import { durationMs } from './duration.ts';
import type { Fields } from './rules/rule.ts';
import { recipeSchema } from './schema-check.ts';
import {
  type JsonObject,
  type Recipe,
  type Runtime,
  type ScoringStepName,
  type StepName,
  type StepSection,
  scoringStepNames,
  type Task,
} from './types.ts';

const defaultRetries = 2;

/** Milliseconds that an attempt may take unless the recipe says otherwise. */
const defaultTimeoutMs: Readonly<Record<StepName | ScoringStepName, number>> = {
  ingest: 30 * 60_000,
  split: 15 * 60_000,
  transform: 30 * 60_000,
  train: 24 * 3_600_000,
  evaluate: 60 * 60_000,
  register: 10 * 60_000,
  deploy: 15 * 60_000,
  monitor: 5 * 60_000,
  ingest_scoring: 30 * 60_000,
  predict: 2 * 3_600_000,
};

/** Steps that a recipe has even where it does not mention them. */
const impliedSteps: readonly StepName[] = ['ingest', 'split', 'transform', 'train', 'evaluate', 'register'];
const optionalSteps: readonly StepName[] = ['deploy', 'monitor'];

export const taskOf = (content: Fields): Task => {
  if (content.recipe === 'regression/v1') return 'regression';
  const binary = content.positive_class !== undefined;
  return binary ? 'classification/binary' : 'classification/multiclass';
};

export interface ResolveOptions {
  readonly projectName: string;
  readonly profile: string;
  readonly runtime: Runtime;
  readonly pythonReasons: readonly string[];
  readonly scoringProblems: readonly Violation[];
}

/** Fills in every default of a configuration that passed all checks. */
export const resolveRecipe = (content: Fields, options: ResolveOptions): Recipe => {
  const { profile, runtime, pythonReasons, scoringProblems } = options;
  const task = taskOf(content);
  const name: string = content.name ?? options.projectName;
  const modelName: string = content.steps.register?.model_name ?? content.model_registry?.model_name ?? name;
  const experiment: Fields = content.experiment ?? {};
  const whole: Whole = { content, runtime, name, modelName };
  return {
    kind: content.recipe,
    task,
    runtime,
    pythonReasons,
    name,
    profile,
    seed: content.seed ?? defaultSeed,
    metadata: content.metadata ?? {},
    targetColumn: content.target_col,
    ...(content.positive_class === undefined ? {} : { positiveClass: content.positive_class }),
    primaryMetric: content.primary_metric ?? primaryMetricOf(task),
    customMetrics: (content.custom_metrics ?? []).map((metric: Fields) => ({
      name: metric.name,
      function: metric.function,
      greaterIsBetter: metric.greater_is_better,
    })),
    experiment: {
      name: String(experiment.name ?? experiment.id ?? name),
      ...(experiment.run_name_prefix === undefined ? {} : { runNamePrefix: experiment.run_name_prefix }),
    },
    modelName,
    steps: sectionsOf([...impliedSteps, ...optionalSteps.filter(isPresent(content))], whole),
    scoring: sectionsOf(scoringStepNames.filter(isPresent(content)), whole),
    scoringProblems,
  };
};

/** The recipe around a step, as far as the step's defaults depend on it. */
interface Whole {
  readonly content: Fields;
  readonly runtime: Runtime;
  readonly name: string;
  readonly modelName: string;
}

const isPresent =
  ({ steps }: Fields) =>
  (step: string): boolean =>
    Object.hasOwn(steps, step);

const sectionsOf = <Name extends StepName | ScoringStepName>(
  names: readonly Name[],
  whole: Whole,
): Partial<Record<Name, StepSection>> =>
  Object.fromEntries(names.map((step) => [step, resolveStep(step, whole)])) as Partial<
    Record<Name, StepSection>
  >;

const resolveStep = (step: StepName | ScoringStepName, whole: Whole): StepSection => {
  const { timeout, retries, cache, ...written } = (whole.content.steps[step] ?? {}) as Fields;
  const ttlMs = durationMs(cache?.ttl);
  return {
    config: withDefaults(step, ownDefaults(step, written, whole)) as JsonObject,
    timeoutMs: durationMs(timeout) ?? defaultTimeoutMs[step],
    retries: retries ?? defaultRetries,
    cache: { enabled: cache?.enabled ?? true, ...(ttlMs === undefined ? {} : { ttlMs }) },
  };
};

/** Defaults that depend on other parts of the recipe, which a schema cannot express. */
const ownDefaults = (step: StepName | ScoringStepName, written: Fields, whole: Whole): Fields => {
  const { content, modelName } = whole;
  switch (step) {
    case 'ingest':
      return { dataset: whole.name, ...written };
    case 'ingest_scoring':
      return { dataset: scoringDatasetOf(whole.name), ...written };
    case 'transform':
      return { ...written, using: transformUsing(written, whole) };
    case 'train':
      return trainDefaults(written, whole.runtime);
    case 'predict':
      return { model_uri: `models:/${modelName}/latest`, ...written };
    case 'evaluate':
      return {
        ...written,
        validation_criteria: written.validation_criteria ?? [],
        slices: written.slices ?? [],
      };
    case 'register':
      return { ...written, model_name: modelName, metadata: content.metadata ?? {} };
    case 'deploy':
      return deployDefaults(written, whole);
    case 'monitor':
      return monitorDefaults(written, whole);
    default:
      return written;
  }
};

/** Data to score is a dataset of its own; the longest name of a dataset has 128 characters. */
const scoringDatasetOf = (name: string): string => `${name.slice(0, 120)}-scoring`;

/** MLflow passes columns on when there is no transformer, which its estimators count on; built-in ones want `auto`. */
const transformUsing = (written: Fields, { content, runtime }: Whole): string => {
  if (typeof written.transformer_method === 'string') return 'custom';
  if (written.using !== undefined && written.using !== 'custom') return written.using;
  if (written.using === 'custom' || runtime === 'python') return 'none';
  if (Object.keys(written).some((key) => key !== 'skip_data_profiling' && key !== 'transformer_method'))
    return 'auto';
  const train: Fields = content.steps.train ?? {};
  const estimator = trainUsing(train, runtime);
  return estimator === 'custom' || estimator === 'automl/flaml' ? 'none' : 'auto';
};

const trainUsing = (train: Fields, runtime: Runtime): string => {
  const isCustom = runtime === 'python' || train.estimator_method !== undefined;
  return train.using ?? (isCustom ? 'custom' : 'ydf/gradient_boosted_trees');
};

const trainDefaults = (written: Fields, runtime: Runtime): Fields => {
  const using = trainUsing(written, runtime);
  const rebalancing =
    using === 'custom' || runtime === 'python'
      ? { rebalance_training_data: true, resampling_minority_percentage: 0.3 }
      : {};
  return { ...rebalancing, ...written, using, estimator_params: written.estimator_params ?? {} };
};

/** Names of endpoints stand in addresses, so they are lower case. */
const endpointOf = ({ modelName }: Whole): string => modelName.toLowerCase();

const deployDefaults = (written: Fields, whole: Whole): Fields => {
  const isCanary = (written.strategy ?? 'canary') === 'canary';
  return { endpoint: endpointOf(whole), ...(isCanary ? { canary_steps: [10, 50] } : {}), ...written };
};

const monitorDefaults = (written: Fields, whole: Whole): Fields => ({
  endpoint: whole.content.steps.deploy?.endpoint ?? endpointOf(whole),
  ...written,
  window: written.window ?? {},
  drift: written.drift ?? {},
  rules: (written.rules ?? []).map((rule: Fields) => ({
    name: rule.check,
    of_windows: rule.fire_after ?? 1,
    ...rule,
  })),
});

interface SchemaNode {
  readonly $ref?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
}

const definitions = (recipeSchema as { $defs: Readonly<Record<string, SchemaNode>> }).$defs;

const resolveReference = (node: SchemaNode): SchemaNode =>
  node.$ref === undefined ? node : { ...definitions[node.$ref.replace('#/$defs/', '')], ...node };

/** Keys that `StepSection` carries beside the config. */
const executionKeys = new Set(['timeout', 'retries', 'cache']);

/** Names of the definitions of steps, where they differ from the steps'. */
const definitionNames: Readonly<Record<string, string>> = { ingest_scoring: 'ingestScoring' };

const withDefaults = (step: StepName | ScoringStepName, value: Fields): Fields => {
  const filled = fill(definitions[definitionNames[step] ?? step] ?? {}, value) as Fields;
  return Object.fromEntries(Object.entries(filled).filter(([key]) => !executionKeys.has(key)));
};

/** Adds the schema's defaults to what is there; makes no mapping that is absent. */
const fill = (schema: SchemaNode, value: unknown): unknown => {
  const node = resolveReference(schema);
  if (Array.isArray(value)) {
    return node.items === undefined ? value : value.map((item) => fill(node.items ?? {}, item));
  }
  if (typeof value !== 'object' || value === null || node.properties === undefined) return value;
  const result: Record<string, unknown> = { ...value };
  for (const [key, child] of Object.entries(node.properties)) {
    const { default: fallback } = resolveReference(child);
    if (result[key] === undefined && fallback !== undefined) result[key] = fallback;
    else if (result[key] !== undefined) result[key] = fill(child, result[key]);
  }
  return result;
};
