import { type ModelVersion as ModelVersionMessage, registryEvents } from '@millrace/contracts/registry';
import { eventMessage } from '@millrace/service-kit';
import type { Actor } from '../domain/actor.ts';
import { decideRejection } from '../domain/approval.ts';
import { versionKey } from '../domain/names.ts';
import type { RegistryContext } from './context.ts';
import { loadModel, loadPolicy, loadVersion, missingVersion } from './load.ts';
import { approvalMessage } from './messages.ts';
import { viewModelVersion } from './view-model-version.ts';
import { withholdVersion } from './withhold-version.ts';

/**
 * Rejects a version: its approvals no longer count. An alias that already points to it stays until moved.
 * @throws Invalid without a reason.
 * @throws FailedPrecondition when it is archived.
 */
export const rejectModelVersion = async (
  context: RegistryContext,
  command: { readonly model: string; readonly version: number; readonly actor: Actor },
): Promise<ModelVersionMessage> => {
  const version = await loadVersion(context, command.model, command.version);
  const model = await loadModel(context, command.model);
  const policy = await loadPolicy(context, model);
  const request = { id: context.newId('apr'), actor: command.actor, at: context.now() };
  decideRejection(version, request);
  const key = versionKey(model.name, version.number);
  // Aliases are kept off first, so that no move can slip between the two writes.
  await withholdVersion(context, model.name, version.number, 'rejected');
  const stored = await context.collections.versions.update(key, (current) => {
    if (current === undefined) throw missingVersion(model.name, version.number);
    const rejected = decideRejection(current.document, request);
    const message = eventMessage(registryEvents.modelVersionRejected, key, {
      modelVersion: viewModelVersion(rejected.version, model, policy, request.at),
      approval: approvalMessage(rejected.approval),
    });
    return { document: rejected.version, messages: [message] };
  });
  if (stored === undefined) throw missingVersion(model.name, version.number);
  return viewModelVersion(stored.document, model, policy, request.at);
};
