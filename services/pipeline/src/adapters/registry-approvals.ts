import { ApprovalState, type RegistryServiceService } from '@millrace/contracts/registry';
import type { RpcClient } from '@millrace/service-kit';
import type { ApprovalAnswer, AskApproval } from '../application/context.ts';

/** Asks the registry: a protected alias needs an approved version, any other needs nobody. */
export const registryApprovals =
  (registry: RpcClient<typeof RegistryServiceService>): AskApproval =>
  async ({ model, version }, alias): Promise<ApprovalAnswer> => {
    const { modelVersion } = await registry.getModelVersion({ model, version });
    if (modelVersion?.approvalState === ApprovalState.APPROVAL_STATE_REJECTED) {
      return { verdict: 'rejected', reason: 'an approver refused it' };
    }
    if (modelVersion?.approvalState === ApprovalState.APPROVAL_STATE_APPROVED) {
      return { verdict: 'approved', reason: '' };
    }
    const { policy } = await registry.getPolicy({ model });
    const isProtected = policy?.protectedAliases.includes(alias) === true && policy.requiredApprovals > 0;
    return isProtected ? { verdict: 'pending', reason: '' } : { verdict: 'not_needed', reason: '' };
  };
