import { primaryMetricOf } from '@millrace/metrics';
import { defaultSeed } from '@millrace/random';
import { durationMs } from './duration.ts';
import type { Fields } from './rules/rule.ts';
import { recipeSchema } from './schema-check.ts';
import type { JsonObject, Recipe, StepName, StepSection, Task } from './types.ts';

const defaultRetries = 2;

/** Milliseconds that an attempt may take unless the recipe says otherwise. */
const defaultTimeoutMs: Readonly<Record<StepName, number>> = {
  ingest: 30 * 60_000,
  split: 15 * 60_000,
  transform: 30 * 60_000,
  train: 24 * 3_600_000,
  evaluate: 60 * 60_000,
  register: 10 * 60_000,
  deploy: 15 * 60_000,
  monitor: 5 * 60_000,
};

/** Steps that a recipe has even where it does not mention them. */
const impliedSteps: readonly StepName[] = ['ingest', 'split', 'transform', 'train', 'evaluate', 'register'];
const optionalSteps: readonly StepName[] = ['deploy', 'monitor'];

export const taskOf = (content: Fields): Task => {
  if (content.recipe === 'regression/v1') return 'regression';
  const binary = content.positive_class !== undefined;
  return binary ? 'classification/binary' : 'classification/multiclass';
};

/** Fills in every default of a configuration that passed all checks. */
export const resolveRecipe = (content: Fields, projectName: string, profile: string): Recipe => {
  const task = taskOf(content);
  const name: string = content.name ?? projectName;
  const modelName: string = content.steps.register?.model_name ?? content.model_registry?.model_name ?? name;
  const experiment: Fields = content.experiment ?? {};
  const { ingest_scoring: ingestScoring, predict } = content.steps;
  return {
    kind: content.recipe,
    task,
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
    steps: resolveSteps(content, { name, modelName }),
    scoring: {
      ...(ingestScoring === undefined ? {} : { ingest_scoring: ingestScoring }),
      ...(predict === undefined ? {} : { predict }),
    },
  };
};

interface Names {
  readonly name: string;
  readonly modelName: string;
}

const resolveSteps = (content: Fields, names: Names): Recipe['steps'] => {
  const present = [...impliedSteps, ...optionalSteps.filter((step) => Object.hasOwn(content.steps, step))];
  return Object.fromEntries(present.map((step) => [step, resolveStep(step, content, names)]));
};

const resolveStep = (step: StepName, content: Fields, names: Names): StepSection => {
  const { timeout, retries, cache, ...written } = (content.steps[step] ?? {}) as Fields;
  const ttlMs = durationMs(cache?.ttl);
  return {
    config: withDefaults(step, ownDefaults(step, written, content, names)) as JsonObject,
    timeoutMs: durationMs(timeout) ?? defaultTimeoutMs[step],
    retries: retries ?? defaultRetries,
    cache: { enabled: cache?.enabled ?? true, ...(ttlMs === undefined ? {} : { ttlMs }) },
  };
};

/** Defaults that depend on other parts of the recipe, which a schema cannot express. */
const ownDefaults = (step: StepName, written: Fields, content: Fields, names: Names): Fields => {
  switch (step) {
    case 'ingest':
      return { dataset: names.name, ...written };
    case 'transform':
      return { ...written, using: transformUsing(written, content) };
    case 'train':
      return trainDefaults(written);
    case 'evaluate':
      return {
        ...written,
        validation_criteria: written.validation_criteria ?? [],
        slices: written.slices ?? [],
      };
    case 'register':
      return { ...written, model_name: names.modelName, metadata: content.metadata ?? {} };
    case 'deploy':
      return deployDefaults(written, names);
    case 'monitor':
      return monitorDefaults(written, content, names);
    default:
      return written;
  }
};

/** MLflow passes columns on when there is no transformer, which its estimators count on; built-in ones want `auto`. */
const transformUsing = (written: Fields, content: Fields): string => {
  if (typeof written.transformer_method === 'string') return 'custom';
  if (written.using !== undefined && written.using !== 'custom') return written.using;
  if (written.using === 'custom') return 'none';
  if (Object.keys(written).some((key) => key !== 'skip_data_profiling' && key !== 'transformer_method'))
    return 'auto';
  const train: Fields = content.steps.train ?? {};
  const estimator = trainUsing(train);
  return estimator === 'custom' || estimator === 'automl/flaml' ? 'none' : 'auto';
};

const trainUsing = (train: Fields): string =>
  train.using ?? (train.estimator_method === undefined ? 'ydf/gradient_boosted_trees' : 'custom');

const trainDefaults = (written: Fields): Fields => {
  const using = trainUsing(written);
  const rebalancing =
    using === 'custom' ? { rebalance_training_data: true, resampling_minority_percentage: 0.3 } : {};
  return { ...rebalancing, ...written, using, estimator_params: written.estimator_params ?? {} };
};

/** Names of endpoints stand in addresses, so they are lower case. */
const endpointOf = (names: Names): string => names.modelName.toLowerCase();

const deployDefaults = (written: Fields, names: Names): Fields => {
  const isCanary = (written.strategy ?? 'canary') === 'canary';
  return { endpoint: endpointOf(names), ...(isCanary ? { canary_steps: [10, 50] } : {}), ...written };
};

const monitorDefaults = (written: Fields, content: Fields, names: Names): Fields => ({
  endpoint: content.steps.deploy?.endpoint ?? endpointOf(names),
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

const withDefaults = (step: StepName, value: Fields): Fields => {
  const filled = fill(definitions[step] ?? {}, value) as Fields;
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
