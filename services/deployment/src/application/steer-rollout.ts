import type { HandledPosition } from '@millrace/bus';
import type { Actor } from '@millrace/contracts/common';
import { FailedPrecondition, Internal } from '@millrace/errors';
import { judge, promote, rollback, rollbackTarget } from '../domain/decide.ts';
import type { Endpoint } from '../domain/endpoint.ts';
import { changeExisting, loadEndpoint } from './change-endpoint.ts';
import type { DeploymentContext } from './context.ts';
import { checkAnswer } from './model-loader.ts';
import { routeTraffic } from './route-traffic.ts';

/** Gives the candidate its next share, or all the traffic. */
export const promoteCandidate = async (
  context: DeploymentContext,
  name: string,
  full: boolean,
  actor: Actor,
): Promise<Endpoint> => {
  const changed = await changeExisting(context, name, actor, (current) =>
    promote(current, full, context.now()),
  );
  await routeTraffic(context, name);
  return changed ?? (await loadEndpoint(context, name));
};

export interface RollbackCommand {
  readonly endpoint: string;
  readonly actor: Actor;
  /** Alert that asks for it; empty when a person does. */
  readonly alertId?: string;
  readonly handled?: HandledPosition;
  /** Only while this revision is the candidate of an open rollout. */
  readonly onlyCandidate?: number;
}

/**
 * Goes back to what served before. The revision to go back to is loaded and tested first; afterwards its answer is
 * asked for through the data plane, so that a rollback is known to have taken effect.
 *
 * @throws FailedPrecondition when nothing served before, or the revision to go back to does not load
 */
export const rollBack = async (context: DeploymentContext, command: RollbackCommand): Promise<Endpoint> => {
  const before = await loadEndpoint(context, command.endpoint);
  const target = rollbackTarget(before);
  if (target !== undefined) await context.loader.load(target.modelDigest);
  const changed = await changeExisting(
    context,
    command.endpoint,
    command.actor,
    (current) => {
      const candidate = current.rollout?.candidateRevision;
      if (command.onlyCandidate !== undefined && command.onlyCandidate !== candidate) return undefined;
      return rollback(current, command.actor.reason, command.alertId ?? '', context.now());
    },
    command.handled,
  );
  await routeTraffic(context, command.endpoint);
  if (changed === undefined) return loadEndpoint(context, command.endpoint);
  await verifyServing(context, changed);
  return changed;
};

/** Asks the data plane for a prediction and sees that the stable revision gives it. */
const verifyServing = async ({ table }: DeploymentContext, endpoint: Endpoint): Promise<void> => {
  const revision = table.first(endpoint.name);
  if (revision.number !== endpoint.stableRevision) {
    throw new Internal(`${endpoint.name} still serves revision ${revision.number} after the rollback`);
  }
  const { predictor } = revision;
  checkAnswer(await predictor.predict(predictor.inputExample), predictor.inputExample.length);
};

/** Promotes or rolls back a candidate by what it did so far, where its policy says so. */
export const judgeCandidate = async (context: DeploymentContext, name: string): Promise<void> => {
  const endpoint = await loadEndpoint(context, name);
  const { rollout } = endpoint;
  const stats = rollout === undefined ? undefined : context.table.stats(name, rollout.candidateRevision);
  if (rollout === undefined || stats === undefined) return;
  const verdict = judge(rollout, {
    requests: stats.requests,
    errors: stats.errors,
    latencyP95Ms: stats.latencyP95Ms(),
  });
  if (verdict.kind === 'wait') return;
  const actor = (reason: string): Actor => ({ name: 'service:deployment', reason });
  try {
    if (verdict.kind === 'promote') {
      const reason = `${stats.requests} requests went well at step ${rollout.step + 1}`;
      await promoteCandidate(context, name, false, actor(reason));
    } else {
      await rollBack(context, {
        endpoint: name,
        actor: actor(verdict.reason),
        onlyCandidate: rollout.candidateRevision,
      });
    }
  } catch (thrown) {
    // Somebody promoted or rolled back in the same moment: theirs counts.
    if (!(thrown instanceof FailedPrecondition)) throw thrown;
  }
};
