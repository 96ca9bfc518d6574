import type { Actor } from '@millrace/contracts/common';
import { RevisionState, RolloutState } from '@millrace/contracts/deployment';
import {
  ApprovalState,
  GetModelVersionRequest,
  GetPolicyRequest,
  type ModelVersion,
} from '@millrace/contracts/registry';
import { asMillraceError, FailedPrecondition, isRetryable, NotFound } from '@millrace/errors';
import { activeTraceHeaders } from '@millrace/telemetry';
import {
  type Change,
  candidateFailed,
  candidateReady,
  emptyEndpoint,
  servedAlready,
  startRollout,
} from '../domain/decide.ts';
import { type Endpoint, type Revision, type RolloutPolicy, revisionOf } from '../domain/endpoint.ts';
import { changeEndpoint, changeExisting, loadEndpoint } from './change-endpoint.ts';
import type { DeploymentContext } from './context.ts';
import { freeUnused, routeTraffic } from './route-traffic.ts';

export interface DeployCommand {
  readonly endpoint: string;
  readonly model: string;
  readonly modelVersion: number;
  readonly policy: RolloutPolicy;
  /** Empty: the endpoint's own. */
  readonly alias: string;
  readonly actor: Actor;
  /** Repeating the command of one pipeline run deploys once. */
  readonly pipelineRunId: string;
  /** Takes what is done while the model loads. */
  readonly onProgress?: (message: string) => void;
}

export interface Deployed {
  readonly endpoint: Endpoint;
  readonly revision: Revision;
}

/**
 * Deploys a model version: starts a rollout, loads and smoke-tests the model, and gives it its first traffic. What
 * serves already stays as it is.
 *
 * @throws NotFound, Conflict while another rollout is under way, FailedPrecondition when the version may not
 *   serve under the endpoint's alias or fails its smoke test; the endpoint then serves as before
 */
export const deploy = async (context: DeploymentContext, command: DeployCommand): Promise<Deployed> => {
  const earlier = await findEarlier(context, command);
  if (earlier !== undefined) return finish(context, command, earlier.number);
  const version = await loadVersion(context, command);
  await requireApproval(context, version, command);
  const cause = activeTraceparent();
  const started = await changeEndpoint(context, command.endpoint, command.actor, (current) =>
    startRollout(
      current ?? emptyEndpoint(command.endpoint, command.alias, context.now()),
      {
        model: version.model,
        modelVersion: version.version,
        modelDigest: version.digest,
        pipelineRunId: command.pipelineRunId,
        ...cause,
      },
      command.policy,
      command.alias,
      context.now(),
    ),
  );
  const number = started?.rollout?.candidateRevision ?? 0;
  return finish(context, command, number);
};

const activeTraceparent = (): { readonly traceparent?: string } => {
  const { traceparent } = activeTraceHeaders();
  return traceparent === undefined ? {} : { traceparent };
};

/**
 * The revision that serves the version already, or that an earlier delivery of the same command began. One that did
 * not come up counts for nothing: what was wrong may be mended since, and the run resumed.
 */
const findEarlier = async (
  context: DeploymentContext,
  command: DeployCommand,
): Promise<Revision | undefined> => {
  const endpoint = (await context.endpoints.get(command.endpoint))?.document;
  if (endpoint === undefined) return undefined;
  const served = servedAlready(endpoint, command);
  if (served !== undefined || command.pipelineRunId === '') return served;
  return endpoint.revisions.find(
    ({ pipelineRunId, model, modelVersion, state }) =>
      state !== RevisionState.REVISION_STATE_FAILED &&
      pipelineRunId === command.pipelineRunId &&
      model === command.model &&
      modelVersion === command.modelVersion,
  );
};

const finish = async (
  context: DeploymentContext,
  { endpoint: name, actor, onProgress }: DeployCommand,
  number: number,
): Promise<Deployed> => {
  await activateCandidate(context, name, number, actor, onProgress);
  const endpoint = await loadEndpoint(context, name);
  const revision = revisionOf(endpoint, number);
  if (revision === undefined) throw new NotFound(`${name} has no revision ${number} any more`);
  if (revision.state === RevisionState.REVISION_STATE_FAILED) {
    throw new FailedPrecondition(`revision ${number} of ${name} did not come up: ${revision.error}`, {
      hint: 'The endpoint serves as before.',
    });
  }
  if (revision.state === RevisionState.REVISION_STATE_ROLLED_BACK) {
    throw new FailedPrecondition(`revision ${number} of ${name} was rolled back: ${revision.error}`);
  }
  return { endpoint, revision };
};

/**
 * Loads and smoke-tests the candidate of a rollout that has just begun, and routes its first traffic. Safe to
 * repeat, so that a restart takes up what a crash left; does nothing when that rollout is no longer starting.
 *
 * @throws what kept the candidate from loading where that may pass (a blob store that is away): its rollout has
 *   ended then, and the same deployment can be asked for again
 */
export const activateCandidate = async (
  context: DeploymentContext,
  name: string,
  number: number,
  actor: Actor,
  onProgress?: (message: string) => void,
): Promise<void> => {
  const candidate = startingCandidate(await loadEndpoint(context, name));
  if (candidate?.number !== number) return;
  const change = (decide: (current: Endpoint) => Change | undefined) =>
    changeExisting(context, name, actor, (current) =>
      startingCandidate(current)?.number === number ? decide(current) : undefined,
    );
  try {
    await context.loader.load(candidate.modelDigest, onProgress);
  } catch (thrown) {
    const error = asMillraceError(thrown);
    await change((current) => candidateFailed(current, error.message, context.now()));
    if (isRetryable(error.code)) throw error;
    return;
  }
  await change((current) => candidateReady(current, context.now()));
  await routeTraffic(context, name);
  await freeUnused(context);
};

/** The candidate that is being loaded and tested. */
const startingCandidate = ({ rollout, revisions }: Endpoint): Revision | undefined =>
  rollout?.state === RolloutState.ROLLOUT_STATE_STARTING
    ? revisions.find(({ number }) => number === rollout.candidateRevision)
    : undefined;

const loadVersion = async (context: DeploymentContext, command: DeployCommand): Promise<ModelVersion> => {
  const { model, modelVersion } = command;
  const answer = await context.registry.getModelVersion(
    GetModelVersionRequest.fromPartial({ model, version: modelVersion }),
  );
  if (answer.modelVersion === undefined)
    throw new NotFound(`there is no model version ${model}/${modelVersion}`);
  if (answer.modelVersion.archived) throw new FailedPrecondition(`${model}/${modelVersion} is archived`);
  return answer.modelVersion;
};

/** An endpoint that a protected alias follows serves approved versions only. */
const requireApproval = async (
  context: DeploymentContext,
  version: ModelVersion,
  command: DeployCommand,
): Promise<void> => {
  const alias = command.alias || (await context.endpoints.get(command.endpoint))?.document.alias;
  if (alias === undefined || alias === '') return;
  const { policy } = await context.registry.getPolicy(GetPolicyRequest.fromPartial({ model: version.model }));
  const isProtected = policy?.protectedAliases.includes(alias) ?? true;
  if (!isProtected || version.approvalState === ApprovalState.APPROVAL_STATE_APPROVED) return;
  throw new FailedPrecondition(`${version.model}/${version.version} is not approved for "${alias}"`, {
    hint: `Approve it first: millrace approve ${version.model}/${version.version}.`,
  });
};
