import { ApprovalState, type RegistryServiceService } from '@millrace/contracts/registry';
import { ErrorCode, MillraceError } from '@millrace/errors';
import type { RpcClient } from '@millrace/service-kit';
import type { ApprovalAnswer, AskApproval, FindChampion } from '../application/context.ts';

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

/** Alias of the version that new ones are compared with; the evaluation service uses the same. */
const championAlias = 'production';

/** Asks the registry which version serves; a model that is not there yet has none. */
export const registryChampion =
  (registry: RpcClient<typeof RegistryServiceService>): FindChampion =>
  async (model) => {
    try {
      const { modelVersion } = await registry.resolveAlias({ model, alias: championAlias, at: undefined });
      return modelVersion === undefined ? 'none' : `${modelVersion.model}/${modelVersion.version}`;
    } catch (thrown) {
      if (thrown instanceof MillraceError && thrown.code === ErrorCode.notFound) return 'none';
      throw thrown;
    }
  };
