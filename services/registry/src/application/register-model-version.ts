import { registryEvents } from '@millrace/contracts/registry';
import { Conflict, Unavailable } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import { newModel } from '../domain/model.ts';
import {
  type ModelVersion,
  newModelVersion,
  type Registration,
  registrationIdOf,
} from '../domain/model-version.ts';
import { parseModelName, versionKey } from '../domain/names.ts';
import type { RegistryContext } from './context.ts';
import { latestVersionNumber } from './load.ts';
import { modelVersionMessage } from './messages.ts';

/** Lost races against other processes before giving up; in this process registrations stand in line. */
const maxAttempts = 100;

/**
 * Registers a model under the next number of its name; the same model (by digest) again gives the version that
 * it has. Numbers have no gaps: the next one is taken by an insert that fails when somebody else took it.
 */
export const registerModelVersion = async (
  context: RegistryContext,
  registration: Registration,
): Promise<{ readonly version: ModelVersion; readonly created: boolean }> => {
  const model = parseModelName(registration.model, 'model');
  return context.queues.run(`model/${model}`, async () => {
    await ensureModel(context, model, registration.registeredAt);
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      const known = await findByDigest(context, model, registration.digest);
      if (known !== undefined) return { version: known, created: false };
      const number = (await latestVersionNumber(context, model)) + 1;
      const version = newModelVersion(registration, number);
      if (await insertVersion(context, version)) return { version, created: true };
    }
    throw new Unavailable(`too many registrations of ${model} at once`, { hint: 'Try again.' });
  });
};

const ensureModel = async ({ collections }: RegistryContext, name: string, at: string): Promise<void> => {
  await collections.models.update(name, (current) =>
    current === undefined ? { document: newModel(name, at) } : undefined,
  );
};

const findByDigest = async (
  { collections }: RegistryContext,
  model: string,
  digest: string,
): Promise<ModelVersion | undefined> => {
  const { items } = await collections.versions.find({
    filter: { field: 'registrationId', op: 'eq', value: registrationIdOf(model, digest) },
    limit: 1,
  });
  return items[0]?.document;
};

/** False when the number or the model was taken meanwhile. */
const insertVersion = async ({ collections }: RegistryContext, version: ModelVersion): Promise<boolean> => {
  const key = versionKey(version.model, version.number);
  const modelVersion = modelVersionMessage(version, { aliases: [], state: 'PENDING' });
  try {
    await collections.versions.insert(key, version, [
      eventMessage(registryEvents.modelVersionRegistered, key, { modelVersion }),
    ]);
    return true;
  } catch (error) {
    if (error instanceof Conflict) return false;
    throw error;
  }
};
