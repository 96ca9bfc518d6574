import type { RegistryServiceService } from '@millrace/contracts/registry';
import type { TrackingServiceService } from '@millrace/contracts/training';
import { asMillraceError, ErrorCode } from '@millrace/errors';
import type { RpcClient } from '@millrace/service-kit';
import type { Collection } from '@millrace/store';
import type { PipelineContext } from '../application/context.ts';
import type { Hold, HoldDependencies } from '../application/garbage/holds.ts';

/** Everything that is held. */
export const heldSubjects = async (holds: Collection<Hold>): Promise<readonly string[]> => {
  const subjects: string[] = [];
  for await (const { key } of holds.scan()) subjects.push(key);
  return subjects;
};

/** Asks the owners whether what is to be held exists. */
export const existence = (
  { collections }: Pick<PipelineContext, 'collections'>,
  registry: RpcClient<typeof RegistryServiceService>,
  training: RpcClient<typeof TrackingServiceService>,
): Pick<HoldDependencies, 'hasModelVersion' | 'hasRun'> => ({
  hasModelVersion: (model, version) => isFound(registry.getModelVersion({ model, version })),
  hasRun: async (id) => (await collections.runs.get(id)) !== undefined || isFound(training.getRun({ id })),
});

const isFound = async (answer: Promise<unknown>): Promise<boolean> => {
  try {
    await answer;
    return true;
  } catch (thrown) {
    if (asMillraceError(thrown).code === ErrorCode.notFound) return false;
    throw thrown;
  }
};
