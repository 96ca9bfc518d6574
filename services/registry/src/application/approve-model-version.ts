import { type ModelVersion as ModelVersionMessage, registryEvents } from '@millrace/contracts/registry';
import { Denied, FailedPrecondition, type MillraceError } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { NewMessage } from '@millrace/store';
import type { Actor } from '../domain/actor.ts';
import { type ApproveDecision, decideApproval, type Objection } from '../domain/approval.ts';
import { type Model, release } from '../domain/model.ts';
import type { ModelVersion } from '../domain/model-version.ts';
import { versionKey } from '../domain/names.ts';
import type { Policy } from '../domain/policy.ts';
import type { RegistryContext } from './context.ts';
import { loadModel, loadPolicy, loadVersion, missingVersion } from './load.ts';
import { approvalMessage } from './messages.ts';
import { viewModelVersion } from './view-model-version.ts';

export interface ApproveModelVersionCommand {
  readonly model: string;
  readonly version: number;
  readonly actor: Actor;
  readonly breakGlass: boolean;
}

/**
 * Adds an approval. Approving twice changes nothing; a refusal by the policy is recorded and published.
 * @throws Denied when the policy forbids this person to approve.
 * @throws FailedPrecondition when the policy forbids the version to be approved, or it is archived.
 * @throws Invalid when the glass is broken without a reason.
 */
export const approveModelVersion = async (
  context: RegistryContext,
  command: ApproveModelVersionCommand,
): Promise<ModelVersionMessage> => {
  const { collections } = context;
  await loadVersion(context, command.model, command.version);
  const model = await loadModel(context, command.model);
  const policy = await loadPolicy(context, model);
  const key = versionKey(model.name, command.version);
  const request = {
    id: context.newId('apr'),
    actor: command.actor,
    breakGlass: command.breakGlass,
    at: context.now(),
  };
  let decision: ApproveDecision | undefined;
  const stored = await collections.versions.update(key, (current) => {
    if (current === undefined) throw missingVersion(model.name, command.version);
    decision = decideApproval(current.document, policy, request);
    if (decision.kind === 'unchanged') return undefined;
    const message = messageOf(decision, key, model, policy, request);
    return { document: decision.version, messages: [message] };
  });
  if (stored === undefined) throw missingVersion(model.name, command.version);
  if (decision?.kind === 'denied') throw refusal(key, decision.objections);
  if (decision?.kind === 'approved' && decision.complete) await liftRejection(context, stored.document);
  return viewModelVersion(stored.document, model, policy, request.at);
};

const messageOf = (
  decision: Exclude<ApproveDecision, { kind: 'unchanged' }>,
  key: string,
  model: Model,
  policy: Policy,
  { actor, at }: { readonly actor: Actor; readonly at: string },
): NewMessage => {
  if (decision.kind === 'denied') {
    return eventMessage(registryEvents.modelVersionApprovalDenied, key, {
      model: model.name,
      version: decision.version.number,
      actor,
      reasons: decision.objections.map(({ message }) => message),
    });
  }
  const { modelVersionApproved, modelVersionApprovalAdded } = registryEvents;
  return eventMessage(decision.complete ? modelVersionApproved : modelVersionApprovalAdded, key, {
    modelVersion: viewModelVersion(decision.version, model, policy, at),
    approval: approvalMessage(decision.approval),
  });
};

const liftRejection = async ({ collections }: RegistryContext, version: ModelVersion): Promise<void> => {
  await collections.models.update(version.model, (current) => {
    if (current === undefined) return undefined;
    const document = release(current.document, version.number);
    return document === current.document ? undefined : { document };
  });
};

const refusal = (key: string, objections: readonly Objection[]): MillraceError => {
  const message = `${key} was not approved: ${objections.map((objection) => objection.message).join('; ')}`;
  const hint = 'Another person may approve it, or break the glass with a reason; both are audited.';
  const personal = objections.every(({ rule }) => rule === 'four_eyes');
  return personal ? new Denied(message, { hint }) : new FailedPrecondition(message, { hint });
};
