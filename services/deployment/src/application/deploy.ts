import type { Actor } from '@millrace/contracts/common';
import {
  ApprovalState,
  GetModelVersionRequest,
  GetPolicyRequest,
  type ModelVersion,
} from '@millrace/contracts/registry';
import { asMillraceError, Conflict, FailedPrecondition, isRetryable, NotFound } from '@millrace/errors';
import { candidateFailed, candidateReady, emptyEndpoint, startRollout } from '../domain/decide.ts';
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
  /** Repeating the command of one pipeline run deploys once; empty: every command is a new deployment. */
  readonly pipelineRunId: string;
}

export interface Deployed {
  readonly endpoint: Endpoint;
  readonly revision: Revision;
}

/**
 * Deploys a model version: starts a rollout, loads and smoke-tests the model, and gives it its first traffic.
 *
 * @throws NotFound, Conflict while another rollout is under way, FailedPrecondition when the version may not
 *   serve under the endpoint's alias or fails its smoke test; the endpoint then serves as before
 */
export const deploy = async (context: DeploymentContext, command: DeployCommand): Promise<Deployed> => {
  const earlier = await findEarlier(context, command);
  if (earlier !== undefined) return finish(context, command.endpoint, earlier.number, command.actor);
  const version = await loadVersion(context, command);
  await requireApproval(context, version, command);
  const started = await changeEndpoint(context, command.endpoint, command.actor, (current) =>
    startRollout(
      current ?? emptyEndpoint(command.endpoint, command.alias, context.now()),
      {
        model: version.model,
        modelVersion: version.version,
        modelDigest: version.digest,
        pipelineRunId: command.pipelineRunId,
      },
      command.policy,
      command.alias,
      context.now(),
    ),
  );
  const number = started?.rollout?.candidateRevision ?? 0;
  return finish(context, command.endpoint, number, command.actor);
};

/** The revision that an earlier delivery of the same command began. */
const findEarlier = async (
  context: DeploymentContext,
  command: DeployCommand,
): Promise<Revision | undefined> => {
  if (command.pipelineRunId === '') return undefined;
  const stored = await context.endpoints.get(command.endpoint);
  return stored?.document.revisions.find(
    ({ pipelineRunId, model, modelVersion }) =>
      pipelineRunId === command.pipelineRunId &&
      model === command.model &&
      modelVersion === command.modelVersion,
  );
};

const finish = async (
  context: DeploymentContext,
  name: string,
  number: number,
  actor: Actor,
): Promise<Deployed> => {
  await activateCandidate(context, name, actor);
  const endpoint = await loadEndpoint(context, name);
  const revision = revisionOf(endpoint, number);
  if (revision === undefined) throw new NotFound(`${name} has no revision ${number} any more`);
  if (revision.error !== '') {
    throw new FailedPrecondition(`revision ${number} of ${name} did not come up: ${revision.error}`, {
      hint: 'The endpoint serves as before.',
    });
  }
  return { endpoint, revision };
};

/**
 * Loads and smoke-tests the candidate of a rollout that has just begun, and routes its first traffic. Safe to
 * repeat, so that a restart takes up what a crash left.
 */
export const activateCandidate = async (
  context: DeploymentContext,
  name: string,
  actor: Actor,
): Promise<void> => {
  const endpoint = await loadEndpoint(context, name);
  const candidate = revisionOf(endpoint, endpoint.rollout?.candidateRevision ?? 0);
  if (candidate === undefined) return;
  try {
    await context.loader.load(candidate.modelDigest);
  } catch (thrown) {
    const error = asMillraceError(thrown);
    // A blob store that is away says nothing about the model: the caller may try again.
    if (isRetryable(error.code)) throw error;
    await changeExisting(context, name, actor, (current) =>
      candidateFailed(current, error.message, context.now()),
    );
    return;
  }
  const changed = await changeExisting(context, name, actor, (current) =>
    candidateReady(current, context.now()),
  );
  await routeTraffic(context, changed ?? (await loadEndpoint(context, name)));
  await freeUnused(context);
};

const loadVersion = async (context: DeploymentContext, command: DeployCommand): Promise<ModelVersion> => {
  const { model, modelVersion } = command;
  const answer = await context.registry.getModelVersion(
    GetModelVersionRequest.fromPartial({ model, version: modelVersion }),
  );
  if (answer.modelVersion === undefined)
    throw new NotFound(`there is no model version ${model}/${modelVersion}`);
  if (answer.modelVersion.archived) throw new Conflict(`${model}/${modelVersion} is archived`);
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
