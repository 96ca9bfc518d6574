import type { HandledPosition, Outcome } from '@millrace/bus';
import type { DeploymentPromoted, DeploymentRolledBack } from '@millrace/contracts/deployment';
import { NotFound } from '@millrace/errors';
import type { Actor } from '../domain/actor.ts';
import type { MoveRequest } from '../domain/model.ts';
import { findMoveTo } from './alias-moves.ts';
import type { RegistryContext } from './context.ts';
import { loadModel, loadVersion } from './load.ts';
import { isReactionEnabled } from './reactions.ts';
import { commitMove } from './set-alias.ts';

interface Followed {
  readonly endpoint: string;
  readonly alias: string;
  readonly model: string;
  readonly version: number;
  readonly actor: Actor;
  /** The endpoint went back to a revision that served before. */
  readonly returning: boolean;
}

/** The alias that an endpoint names points to the version that it serves with all its traffic. */
export const followPromotion = (
  context: RegistryContext,
  { endpoint, revision, actor }: DeploymentPromoted,
  handled: HandledPosition,
): Promise<Outcome> =>
  follow(context, handled, {
    endpoint: endpoint?.name ?? '',
    alias: endpoint?.alias ?? '',
    model: revision?.model ?? '',
    version: revision?.modelVersion ?? 0,
    actor: {
      name: actor?.name || 'service:deployment',
      reason: because(`promoted at endpoint ${endpoint?.name}, revision ${revision?.number}`, actor?.reason),
    },
    returning: false,
  });

/** After a rollback the alias returns to the version that serves again. */
export const followRollback = (
  context: RegistryContext,
  { endpoint, revision, restored, actor, alertId }: DeploymentRolledBack,
  handled: HandledPosition,
): Promise<Outcome> => {
  const cause = alertId === '' ? '' : ` after alert ${alertId}`;
  return follow(context, handled, {
    endpoint: endpoint?.name ?? '',
    alias: endpoint?.alias ?? '',
    model: restored?.model ?? '',
    version: restored?.modelVersion ?? 0,
    actor: {
      name: actor?.name || 'service:deployment',
      reason: because(
        `revision ${revision?.number} rolled back at endpoint ${endpoint?.name}${cause}`,
        actor?.reason,
      ),
    },
    returning: true,
  });
};

const because = (what: string, reason: string | undefined): string =>
  reason === undefined || reason === '' ? what : `${what}: ${reason}`;

const follow = async (
  context: RegistryContext,
  handled: HandledPosition,
  followed: Followed,
): Promise<Outcome> => {
  if (followed.alias === '') return { kind: 'ignored', reason: 'no alias follows this endpoint' };
  if (followed.version === 0) return { kind: 'ignored', reason: 'no version serves instead' };
  if (!(await isReactionEnabled(context, 'deployment-moves-alias'))) {
    return { kind: 'ignored', reason: 'the reaction deployment-moves-alias is switched off' };
  }
  try {
    return await move(context, handled, followed);
  } catch (error) {
    if (error instanceof NotFound) return { kind: 'reject', reason: error.message };
    throw error;
  }
};

const move = async (
  context: RegistryContext,
  handled: HandledPosition,
  { endpoint, alias, model: name, version, actor, returning }: Followed,
): Promise<Outcome> => {
  const model = await loadModel(context, name);
  const target = await loadVersion(context, name, version);
  const restores = returning ? await findMoveTo(context, model, alias, version) : undefined;
  const at = context.now();
  const request: MoveRequest = {
    alias,
    target,
    actor,
    at,
    followedEndpoint: endpoint,
    ...(restores === undefined ? {} : { restores }),
  };
  const decision = await commitMove(context, model, request, {
    handled,
    onMoved: (moved) => ({ ...moved, followed: { count: moved.followed.count + 1, lastAt: at } }),
  });
  if (decision?.kind === 'moved') return { kind: 'done' };
  if (decision?.kind === 'denied') {
    const reasons = decision.objections.map(({ message }) => message).join('; ');
    return { kind: 'ignored', reason: `the policy refused it: ${reasons}` };
  }
  return { kind: 'ignored', reason: `${alias} points there already` };
};
