import type { BlobStore } from '@millrace/blobs';
import type { Artifact, RecipeContext, StepCommand } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import { findMetric, type TaskDefinition } from '@millrace/metrics';
import { requireName, type StepHandler, withCard } from '@millrace/service-kit';
import { activeTraceHeaders } from '@millrace/telemetry';
import { monitorCard } from '../card/monitor-card.ts';
import { checkFeatures } from '../domain/baseline.ts';
import { type Binding, bind, Check, type MonitorDocument, type MonitorSettings } from '../domain/monitor.ts';
import { readMonitorSettings } from '../domain/monitor-settings.ts';
import type { Collections, Dependencies } from './ports.ts';

const inputOfKind = ({ inputs }: StepCommand, kind: string): Artifact | undefined =>
  inputs.find((artifact) => artifact.kind === kind);

/** A profile of predictions, by name: kind `profile` alone is that of the dataset. */
const predictionProfileName = 'prediction_profile';

const requireRecipe = ({ recipe }: StepCommand): RecipeContext => {
  if (recipe === undefined) throw Invalid.field('recipe', 'is required');
  return recipe;
};

const taskOf = ({ task, positiveClass }: RecipeContext): TaskDefinition => {
  switch (task) {
    case 'regression':
      return { type: 'regression' };
    case 'classification/binary':
      return { type: 'classification/binary', positiveClass };
    case 'classification/multiclass':
      return { type: 'classification/multiclass' };
    default:
      throw Invalid.field('recipe.task', `"${task}" is not a task`);
  }
};

/** The number at the end of an id such as `flights/3`; 0 without one. */
const trailingNumber = (id: string | undefined): number => Number(/\/(\d+)$/.exec(id ?? '')?.[1] ?? 0);

const revisionOf = (command: StepCommand, endpoint: string): number => {
  const id = inputOfKind(command, 'endpoint_revision')?.id;
  if (id === undefined) return 0;
  if (id.startsWith(`${endpoint}/`)) return trailingNumber(id);
  throw Invalid.field('steps.monitor.endpoint', `is "${endpoint}", but the run deployed to ${id}`);
};

const bindingOf = (command: StepCommand, endpoint: string): Binding => {
  const recipe = requireRecipe(command);
  const profile = command.inputs.find(
    ({ kind, name }) => kind === 'profile' && name !== predictionProfileName,
  );
  if (profile === undefined || profile.digest === '') {
    throw Invalid.field('inputs', 'has no profile of the dataset');
  }
  const version = inputOfKind(command, 'model_version');
  return {
    revision: revisionOf(command, endpoint),
    model: version?.id.replace(/\/\d+$/, '') ?? recipe.modelName,
    modelVersion: trailingNumber(version?.id),
    datasetVersionId: inputOfKind(command, 'dataset_version')?.id || profile.id,
    profileDigest: profile.digest,
    predictionProfileDigest: command.inputs.find(({ name }) => name === predictionProfileName)?.digest ?? '',
    targetColumn: recipe.targetColumn,
    task: taskOf(recipe),
  };
};

const checkMetrics = ({ rules }: MonitorSettings, { type }: TaskDefinition): void => {
  for (const [i, { check, metric }] of rules.entries()) {
    if (check !== Check.performance || findMetric(type, metric ?? '') !== undefined) continue;
    throw Invalid.field(`steps.monitor.rules.${i}.metric`, `"${metric}" is no metric of ${type}`);
  }
};

const storeMonitor = async (
  { monitors }: Collections,
  endpoint: string,
  given: Omit<Parameters<typeof bind>[1], 'endpoint'>,
): Promise<MonitorDocument> => {
  const stored = await monitors.update(endpoint, (current) => {
    const after = bind(current?.document, { endpoint, ...given });
    return { document: after };
  });
  if (stored === undefined) throw new Error(`the monitor of ${endpoint} was not stored`);
  return stored.document;
};

/**
 * The step `monitor`: has the endpoint watched against the profile of the data that its revision was trained on,
 * by the rules of the recipe. Repeating it leaves the monitor as it is.
 */
export const bindMonitor =
  (deps: Dependencies, blobs: Pick<BlobStore, 'put'>): StepHandler =>
  async (step) => {
    const { command } = step;
    const { endpoint: named, settings } = readMonitorSettings(command.config);
    const endpoint = requireName('steps.monitor.endpoint', named);
    const binding = bindingOf(command, endpoint);
    checkMetrics(settings, binding.task);
    checkFeatures(settings.drift, await deps.loadProfile(binding.profileDigest));
    const baseline = await deps.loadBaseline(binding, settings.drift, 0);
    const monitor = await storeMonitor(deps.collections, endpoint, {
      project: command.project?.project ?? '',
      seed: command.recipe?.seed ?? 42,
      binding,
      settings,
      trace: activeTraceHeaders(),
      at: new Date(deps.now()).toISOString(),
    });
    const result = {
      outputs: [
        {
          name: 'monitor',
          kind: 'monitor',
          id: endpoint,
          attributes: {
            endpoint,
            revision: String(binding.revision),
            datasetVersionId: binding.datasetVersionId,
            features: String(baseline.features.size),
          },
        },
      ],
      summary: {
        endpoint,
        revision: binding.revision,
        features: baseline.features.size,
        windowRecords: monitor.windowRecords,
        falseAlarmRate: monitor.drift.falseAlarmRate,
        rules: monitor.rules.map(({ name }) => name),
      },
    };
    return withCard(step, blobs, result, (made) =>
      monitorCard(command, { monitor, features: [...baseline.features.keys()] }, made),
    );
  };
