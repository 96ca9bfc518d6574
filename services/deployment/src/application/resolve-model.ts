import type { ModelVersion } from '@millrace/contracts/registry';
import { NotFound } from '@millrace/errors';
import { parseModelUri } from '../domain/model-uri.ts';
import type { DeploymentContext } from './context.ts';

/** The version that a model URI means now. Throws `NotFound` when there is none. */
export const resolveModel = async (
  { registry }: Pick<DeploymentContext, 'registry'>,
  uri: string,
): Promise<ModelVersion> => {
  const reference = parseModelUri(uri);
  const { model } = reference;
  if (reference.kind === 'alias') {
    const { modelVersion } = await registry.resolveAlias({ model, alias: reference.alias, at: undefined });
    return found(modelVersion, uri);
  }
  const version = reference.kind === 'version' ? reference.version : await latestOf(registry, model, uri);
  const { modelVersion } = await registry.getModelVersion({ model, version });
  return found(modelVersion, uri);
};

const latestOf = async (
  registry: DeploymentContext['registry'],
  name: string,
  uri: string,
): Promise<number> => {
  const { model } = await registry.getModel({ name });
  if (model === undefined || model.latestVersion === 0) return found<number>(undefined, uri);
  return model.latestVersion;
};

const found = <T>(value: T | undefined, uri: string): T => {
  if (value !== undefined) return value;
  throw new NotFound(`${uri} names no model version`, {
    hint: 'Train and register one first: `millrace run`.',
  });
};
