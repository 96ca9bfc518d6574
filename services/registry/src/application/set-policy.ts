import { registryEvents } from '@millrace/contracts/registry';
import { eventMessage } from '@millrace/service-kit';
import type { NewMessage } from '@millrace/store';
import type { Actor } from '../domain/actor.ts';
import { defaultPolicy, type Policy, parsePolicy } from '../domain/policy.ts';
import type { RegistryContext } from './context.ts';
import { defaultPolicyKey, loadDefaultPolicy, loadModel, missingModel } from './load.ts';
import { policyMessage } from './messages.ts';

export interface SetPolicyCommand {
  /** Empty: the default policy. */
  readonly model: string;
  readonly policy: Policy | undefined;
  readonly actor: Actor;
}

/** Replaces the policy of a model, or the default one. @throws Invalid naming the field, NotFound */
export const setPolicy = async (context: RegistryContext, command: SetPolicyCommand): Promise<Policy> => {
  const policy = parsePolicy(command.policy);
  const { models, policies } = context.collections;
  const changed = (key: string, previous: Policy): NewMessage =>
    eventMessage(registryEvents.policyChanged, key, {
      model: command.model,
      policy: policyMessage(policy),
      previous: policyMessage(previous),
      actor: command.actor,
    });
  if (command.model === '') {
    await policies.update(defaultPolicyKey, (current) => ({
      document: policy,
      messages: [changed(defaultPolicyKey, current?.document ?? defaultPolicy)],
    }));
    return policy;
  }
  const { name } = await loadModel(context, command.model);
  const fallback = await loadDefaultPolicy(context);
  await models.update(name, (current) => {
    if (current === undefined) throw missingModel(name);
    return {
      document: { ...current.document, policy },
      messages: [changed(name, current.document.policy ?? fallback)],
    };
  });
  return policy;
};
