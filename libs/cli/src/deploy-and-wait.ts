import { setTimeout } from 'node:timers/promises';
import type { DeepPartial, MillraceClient } from '@millrace/client';
import {
  type DeployRequest,
  type DeployResponse,
  type Revision,
  RevisionState,
} from '@millrace/contracts/deployment';
import { ErrorCode, FailedPrecondition, MillraceError } from '@millrace/errors';

/** How often a revision is asked whether it has come up. Milliseconds. */
const pollMs = 500;

/**
 * Deploys, and waits on where that takes longer than a call may: the first deployment of a Python model may build its
 * environment, and large models take their time to load.
 *
 * @param note takes what is waited for
 * @throws FailedPrecondition when the revision does not come up
 */
export const deployAndWait = async (
  client: MillraceClient,
  command: DeepPartial<DeployRequest>,
  note: (text: string) => void,
): Promise<Pick<DeployResponse, 'endpoint' | 'revision'>> => {
  try {
    return await client.deployment.deploy(command);
  } catch (thrown) {
    if (!isTimedOut(thrown)) throw thrown;
    note('the model is still being loaded; its environment may have to be built');
    return follow(client, command, thrown);
  }
};

const isTimedOut = (thrown: unknown): thrown is MillraceError =>
  thrown instanceof MillraceError && thrown.code === ErrorCode.timedOut;

const ended: ReadonlySet<RevisionState> = new Set([
  RevisionState.REVISION_STATE_FAILED,
  RevisionState.REVISION_STATE_ROLLED_BACK,
]);

/** The revision that the command began, once it has come up. */
const follow = async (
  client: MillraceClient,
  { endpoint: name, model, modelVersion }: DeepPartial<DeployRequest>,
  timedOut: MillraceError,
): Promise<Pick<DeployResponse, 'endpoint' | 'revision'>> => {
  for (;;) {
    const { endpoint, revisions } = await client.deployment.getEndpoint({ name });
    const revision = revisions
      .filter((each) => each.model === model && each.modelVersion === modelVersion)
      .reduce<Revision | undefined>(
        (newest, each) => (each.number > (newest?.number ?? 0) ? each : newest),
        undefined,
      );
    if (revision === undefined) throw timedOut;
    if (ended.has(revision.state)) {
      throw new FailedPrecondition(
        `revision ${revision.number} of ${name} did not come up: ${revision.error}`,
        {
          hint: 'The endpoint serves as before.',
        },
      );
    }
    if (revision.state !== RevisionState.REVISION_STATE_STARTING) return { endpoint, revision };
    await setTimeout(pollMs);
  }
};
