import type { Event, EventContext, Outcome } from '@millrace/bus';
import type { Actor, Reaction } from '@millrace/contracts/common';
import { deploymentEvents, RolloutState, Strategy } from '@millrace/contracts/deployment';
import { type AlertRaised, monitoringEvents, Severity } from '@millrace/contracts/monitoring';
import {
  type AliasMove,
  type AliasMoved,
  ResolveAliasRequest,
  registryEvents,
} from '@millrace/contracts/registry';
import { Conflict, ErrorCode, FailedPrecondition, MillraceError, NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import { type Endpoint, type RolloutPolicy, revisionOf } from '../domain/endpoint.ts';
import type { DeploymentContext, ReactionSwitch } from './context.ts';
import { deploy } from './deploy.ts';
import { rollBack } from './steer-rollout.ts';

const reactionNames = ['alert-rolls-back', 'alias-moved-redeploys'] as const;
type ReactionName = (typeof reactionNames)[number];

const about: Record<ReactionName, { readonly description: string; readonly eventType: string }> = {
  'alert-rolls-back': {
    description: 'A critical alert on an endpoint during a rollout takes the candidate out.',
    eventType: monitoringEvents.alertRaised.type,
  },
  'alias-moved-redeploys': {
    description:
      'When the alias that follows an endpoint is moved, the version it points to is rolled out there.',
    eventType: registryEvents.aliasMoved.type,
  },
};

/** Reactions are on until somebody switches them off. */
const untouched: ReactionSwitch = { enabled: true, fired: 0 };

const isEnabled = async ({ reactions }: DeploymentContext, name: ReactionName): Promise<boolean> =>
  (await reactions.get(name))?.document.enabled ?? true;

const noteFired = async ({ reactions, now }: DeploymentContext, name: ReactionName): Promise<void> => {
  await reactions.update(name, (current) => ({
    document: {
      ...(current?.document ?? untouched),
      fired: (current?.document.fired ?? 0) + 1,
      lastFiredAt: now(),
    },
  }));
};

const describe = (name: ReactionName, { enabled, fired, lastFiredAt }: ReactionSwitch): Reaction => ({
  name,
  ...about[name],
  enabled,
  fired,
  lastFiredAt,
});

export const listReactions = (context: DeploymentContext): Promise<Reaction[]> =>
  Promise.all(
    reactionNames.map(async (name) =>
      describe(name, (await context.reactions.get(name))?.document ?? untouched),
    ),
  );

/** Switches a reaction on or off. @throws NotFound */
export const setReaction = async (
  context: DeploymentContext,
  name: string,
  enabled: boolean,
  actor: Actor | undefined,
): Promise<Reaction> => {
  const known = reactionNames.find((item) => item === name);
  if (known === undefined) throw new NotFound(`deployment has no reaction ${name}`);
  const stored = await context.reactions.update(known, (current) => {
    const before = current?.document ?? untouched;
    if (before.enabled === enabled) return undefined;
    const state = { ...before, enabled };
    const reaction = describe(known, state);
    return {
      document: state,
      messages: [eventMessage(deploymentEvents.reactionSwitched, known, { reaction, actor })],
    };
  });
  return describe(known, stored?.document ?? untouched);
};

/** `alert-rolls-back`: only while a rollout is under way, only critical ones, only where its policy agrees. */
export const onAlertRaised =
  (context: DeploymentContext) =>
  async (event: Event<AlertRaised>, { handled }: EventContext): Promise<Outcome> => {
    const alert = event.data.alert;
    if (alert === undefined || alert.severity !== Severity.SEVERITY_CRITICAL) {
      return { kind: 'ignored', reason: 'not critical' };
    }
    if (alert.keepRollout) return { kind: 'ignored', reason: 'the alert asks to keep the rollout' };
    const endpoint = (await context.endpoints.get(alert.endpoint))?.document;
    const rollout = endpoint?.rollout;
    if (rollout?.state !== RolloutState.ROLLOUT_STATE_IN_PROGRESS || !rollout.policy.rollbackOnAlert) {
      return { kind: 'ignored', reason: 'no rollout under way that an alert ends' };
    }
    if (!(await isEnabled(context, 'alert-rolls-back'))) return { kind: 'ignored', reason: 'switched off' };
    await rollBack(context, {
      endpoint: alert.endpoint,
      actor: { name: 'service:deployment', reason: `alert ${alert.rule}: ${alert.summary}` },
      alertId: alert.id,
      onlyCandidate: rollout.candidateRevision,
      handled,
    });
    await noteFired(context, 'alert-rolls-back');
    return { kind: 'done' };
  };

/** Milliseconds until an endpoint with a rollout under way is asked again. */
const busyDelayMs = 2_000;

const directPolicy: RolloutPolicy = {
  strategy: Strategy.STRATEGY_DIRECT,
  canarySteps: [],
  automatic: false,
  minRequests: 50,
  maxErrorRate: 0.05,
  maxLatencyP95Ms: 0,
  rollbackOnAlert: true,
};

/** `alias-moved-redeploys`: endpoints that follow the alias roll out the version it points to. */
export const onAliasMoved =
  (context: DeploymentContext) =>
  async (event: Event<AliasMoved>): Promise<Outcome> => {
    const move = event.data.move;
    if (move === undefined || move.toVersion === 0)
      return { kind: 'ignored', reason: 'the alias was removed' };
    if (!(await isEnabled(context, 'alias-moved-redeploys')))
      return { kind: 'ignored', reason: 'switched off' };
    if (await hasMovedOn(context, move)) return { kind: 'ignored', reason: 'the alias has moved on since' };
    const following: Endpoint[] = [];
    for await (const { document } of context.endpoints.scan({
      field: 'alias',
      op: 'eq',
      value: move.alias,
    })) {
      // A move that followed an endpoint is that endpoint's own doing, perhaps undone since.
      const isCause = document.name === move.followedEndpoint;
      if (!isCause && isBehind(document, move.model, move.toVersion)) following.push(document);
    }
    for (const endpoint of following) {
      const outcome = await redeploy(context, endpoint, event, move.model, move.toVersion);
      if (outcome !== undefined) return outcome;
    }
    return following.length === 0 ? { kind: 'ignored', reason: 'no endpoint is behind' } : { kind: 'done' };
  };

/** Events may wait while an endpoint is busy; only where the alias points now counts. */
const hasMovedOn = async ({ registry }: DeploymentContext, move: AliasMove): Promise<boolean> => {
  try {
    const { model, alias } = move;
    const answer = await registry.resolveAlias(ResolveAliasRequest.fromPartial({ model, alias }));
    return answer.modelVersion?.version !== move.toVersion;
  } catch (thrown) {
    if (thrown instanceof MillraceError && thrown.code === ErrorCode.notFound) return true;
    throw thrown;
  }
};

/** An endpoint of this model that neither serves the version nor is about to. */
const isBehind = (endpoint: Endpoint, model: string, version: number): boolean => {
  const stable = revisionOf(endpoint, endpoint.stableRevision);
  if (stable?.model !== model || stable.modelVersion === version) return false;
  const candidate = revisionOf(endpoint, endpoint.rollout?.candidateRevision ?? 0);
  const underWay = endpoint.rollout?.endedAt === undefined;
  return !(underWay && candidate?.modelVersion === version);
};

const redeploy = async (
  context: DeploymentContext,
  endpoint: Endpoint,
  event: Event<AliasMoved>,
  model: string,
  version: number,
): Promise<Outcome | undefined> => {
  try {
    await deploy(context, {
      endpoint: endpoint.name,
      model,
      modelVersion: version,
      policy: endpoint.rollout?.policy ?? directPolicy,
      alias: '',
      actor: { name: 'service:deployment', reason: `alias moved by ${event.data.move?.actor?.name}` },
      // The event stands for the run that other deployments name: a repeated event deploys once.
      pipelineRunId: `event:${event.id}`,
    });
    await noteFired(context, 'alias-moved-redeploys');
    return undefined;
  } catch (thrown) {
    // However long the rollout under way takes: its end is waited for, not counted as a failure.
    if (thrown instanceof Conflict) {
      return { kind: 'retry', reason: thrown.message, delayMs: busyDelayMs, unavailable: true };
    }
    if (thrown instanceof FailedPrecondition) return { kind: 'ignored', reason: thrown.message };
    throw thrown;
  }
};
