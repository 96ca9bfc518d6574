import { registryEvents } from '@millrace/contracts/registry';
import { FailedPrecondition, NotFound } from '@millrace/errors';
import { eventMessage } from '@millrace/service-kit';
import type { Decision, InboxPosition, NewMessage } from '@millrace/store';
import type { Actor } from '../domain/actor.ts';
import {
  type AliasMove,
  decideMove,
  type Model,
  type MoveDecision,
  type MoveRequest,
} from '../domain/model.ts';
import { parseAlias, parseVersionNumber, versionKey } from '../domain/names.ts';
import { findMoveTo, spillMoves } from './alias-moves.ts';
import type { RegistryContext } from './context.ts';
import { loadDefaultPolicy, loadModel, loadVersion, missingModel } from './load.ts';
import { aliasMoveMessage } from './messages.ts';

export interface SetAliasCommand {
  readonly model: string;
  readonly alias: string;
  /** 0 removes it. */
  readonly version: number;
  /** Where the caller believes it points; 0: nowhere. */
  readonly expectedVersion: number;
  readonly actor: Actor;
}

/**
 * Moves an alias if it still points where the caller thinks. A refusal by the policy is recorded and published.
 * @throws Conflict when it points elsewhere.
 * @throws FailedPrecondition when the policy forbids it or the version is archived.
 */
export const setAlias = async (context: RegistryContext, command: SetAliasCommand): Promise<AliasMove> => {
  const alias = parseAlias(command.alias);
  const expectedVersion = parseVersionNumber(command.expectedVersion, 'expectedVersion', 0);
  parseVersionNumber(command.version, 'version', 0);
  const model = await loadModel(context, command.model);
  const target =
    command.version === 0 ? undefined : await loadVersion(context, command.model, command.version);
  const at = context.now();
  const request = { alias, expectedVersion, actor: command.actor, at };
  const decision = await commitMove(context, model, target === undefined ? request : { ...request, target });
  if (decision?.kind === 'moved') return decision.move;
  if (decision?.kind === 'denied') throw refusal(decision);
  const standing = await findMoveTo(context, await loadModel(context, model.name), alias, command.version);
  if (standing === undefined || target === undefined) {
    throw new NotFound(`${model.name} has no alias ${alias} to remove`);
  }
  return standing;
};

/** What else is written together with a move. */
export interface MoveExtras {
  /** Recorded with the move, or alone when nothing moves. */
  readonly handled?: InboxPosition;
  /** Further changes to a model whose alias moved. */
  readonly onMoved?: (model: Model) => Model;
}

/** Decides and commits on the current model; `undefined` when `handled` was recorded before. */
export const commitMove = async (
  context: RegistryContext,
  model: Model,
  request: MoveRequest,
  extras: MoveExtras = {},
): Promise<MoveDecision | undefined> => {
  await spillMoves(context, model);
  const fallback = await loadDefaultPolicy(context);
  let decision: MoveDecision | undefined;
  await context.collections.models.update(
    model.name,
    (current) => {
      if (current === undefined) throw missingModel(model.name);
      decision = decideMove(current.document, current.document.policy ?? fallback, request);
      return toChange(decision, request, extras);
    },
    { handled: extras.handled },
  );
  return decision;
};

const toChange = (
  decision: MoveDecision,
  { target }: MoveRequest,
  { onMoved }: MoveExtras,
): Decision<Model> | undefined => {
  if (decision.kind === 'unchanged') return undefined;
  if (decision.kind === 'denied') return { document: decision.model, messages: [deniedMessage(decision)] };
  const message = eventMessage(registryEvents.aliasMoved, decision.model.name, {
    move: aliasMoveMessage(decision.move),
    modelDigest: target?.digest ?? '',
  });
  return { document: onMoved?.(decision.model) ?? decision.model, messages: [message] };
};

type DeniedMove = Extract<MoveDecision, { kind: 'denied' }>;

const deniedMessage = ({ attempt, objections }: DeniedMove): NewMessage =>
  eventMessage(registryEvents.aliasMoveDenied, attempt.model, {
    move: aliasMoveMessage(attempt),
    reasons: objections.map(({ message }) => message),
  });

const refusal = ({ attempt, objections }: DeniedMove): FailedPrecondition => {
  const key = versionKey(attempt.model, attempt.toVersion);
  const reasons = objections.map(({ message }) => message).join('; ');
  return new FailedPrecondition(`${attempt.alias} may not point to ${key}: ${reasons}`, {
    hint: `Have ${key} approved first (\`millrace approve ${key}\`).`,
  });
};
