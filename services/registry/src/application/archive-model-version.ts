import { type ModelVersion as ModelVersionMessage, registryEvents } from '@millrace/contracts/registry';
import { eventMessage } from '@millrace/service-kit';
import type { Actor } from '../domain/actor.ts';
import { versionKey } from '../domain/names.ts';
import type { RegistryContext } from './context.ts';
import { loadModel, loadPolicy, loadVersion, missingVersion } from './load.ts';
import { viewModelVersion } from './view-model-version.ts';
import { withholdVersion } from './withhold-version.ts';

/**
 * Archives a version for good; it stays readable. Again changes nothing.
 * @throws FailedPrecondition while an alias points to it.
 */
export const archiveModelVersion = async (
  context: RegistryContext,
  command: { readonly model: string; readonly version: number; readonly actor: Actor },
): Promise<ModelVersionMessage> => {
  const version = await loadVersion(context, command.model, command.version);
  await withholdVersion(context, version.model, version.number, 'archived');
  const model = await loadModel(context, command.model);
  const policy = await loadPolicy(context, model);
  const at = context.now();
  const key = versionKey(model.name, version.number);
  const stored = await context.collections.versions.update(key, (current) => {
    if (current === undefined) throw missingVersion(model.name, version.number);
    if (current.document.archived) return undefined;
    const archived = { ...current.document, archived: true };
    const message = eventMessage(registryEvents.modelVersionArchived, key, {
      modelVersion: viewModelVersion(archived, model, policy, at),
      actor: command.actor,
    });
    return { document: archived, messages: [message] };
  });
  if (stored === undefined) throw missingVersion(model.name, version.number);
  return viewModelVersion(stored.document, model, policy, at);
};
