import { NotFound } from '@millrace/errors';
import type { Model } from '../domain/model.ts';
import type { ModelVersion } from '../domain/model-version.ts';
import { parseModelName, parseVersionNumber, versionKey } from '../domain/names.ts';
import { defaultPolicy, type Policy } from '../domain/policy.ts';
import type { RegistryContext } from './context.ts';

/** Key of the default policy, also in events; not a model's name. */
export const defaultPolicyKey = '*';

export const missingModel = (name: string): NotFound => new NotFound(`there is no model ${name}`);

export const missingVersion = (model: string, version: number): NotFound =>
  new NotFound(`there is no model version ${versionKey(model, version)}`);

/** @throws Invalid, NotFound */
export const loadModel = async ({ collections }: RegistryContext, name: string): Promise<Model> => {
  const stored = await collections.models.get(parseModelName(name));
  if (stored === undefined) throw missingModel(name);
  return stored.document;
};

/** @throws Invalid, NotFound */
export const loadVersion = async (
  { collections }: RegistryContext,
  model: string,
  version: number,
): Promise<ModelVersion> => {
  const key = versionKey(parseModelName(model), parseVersionNumber(version));
  const stored = await collections.versions.get(key);
  if (stored === undefined) throw missingVersion(model, version);
  return stored.document;
};

export const loadDefaultPolicy = async ({ collections }: RegistryContext): Promise<Policy> =>
  (await collections.policies.get(defaultPolicyKey))?.document ?? defaultPolicy;

/** The policy that applies to a model: its own, else the default. */
export const loadPolicy = async (context: RegistryContext, model: Model): Promise<Policy> =>
  model.policy ?? (await loadDefaultPolicy(context));

/** The newest version's number; 0 when there is none. */
export const latestVersionNumber = async (
  { collections }: RegistryContext,
  model: string,
): Promise<number> => {
  const { items } = await collections.versions.find({
    filter: { field: 'model', op: 'eq', value: model },
    sort: { field: 'number', direction: 'desc' },
    limit: 1,
  });
  return items[0]?.document.number ?? 0;
};
