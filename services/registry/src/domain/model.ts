import { Conflict, FailedPrecondition } from '@millrace/errors';
import { type Actor, requireReason } from './actor.ts';
import { approvalStanding, evaluationObjection, type Objection } from './approval.ts';
import type { ModelVersion } from './model-version.ts';
import { versionKey } from './names.ts';
import { isProtected, type Policy } from './policy.ts';

/** One entry of a model's append-only history of aliases. */
export interface AliasMove {
  /** 1, 2, 3 … within the model. */
  readonly number: number;
  readonly model: string;
  readonly alias: string;
  /** 0: it did not exist before. */
  readonly fromVersion: number;
  /** 0: it was removed. */
  readonly toVersion: number;
  readonly actor: Actor;
  /** Approval that allowed it; empty for an alias that is not protected. */
  readonly approvalId: string;
  /** ISO 8601, UTC; never before the move before. */
  readonly at: string;
  /** Endpoint whose deployment it followed; empty when somebody asked for it. */
  readonly followedEndpoint: string;
}

/** A model: the one document that every move of its aliases goes through. */
export interface Model {
  readonly name: string;
  readonly createdAt: string;
  /** Alias → version. */
  readonly aliases: Readonly<Record<string, number>>;
  /** The latest moves, oldest first; earlier ones lie in a collection of their own. */
  readonly recentMoves: readonly AliasMove[];
  readonly moveCount: number;
  /** Versions that no (`archived`) or no protected (`rejected`) alias may get, whatever their own document says. */
  readonly withheld: Readonly<Record<string, 'rejected' | 'archived'>>;
  /** Absent: the default policy applies. */
  readonly policy?: Policy;
  /** How often the policy refused a move. */
  readonly denials: number;
  /** Moves made by the reaction to deployments. */
  readonly followed: { readonly count: number; readonly lastAt: string };
}

export const newModel = (name: string, createdAt: string): Model => ({
  name,
  createdAt,
  aliases: {},
  recentMoves: [],
  moveCount: 0,
  withheld: {},
  denials: 0,
  followed: { count: 0, lastAt: '' },
});

export const aliasVersion = (model: Model, alias: string): number =>
  Object.hasOwn(model.aliases, alias) ? (model.aliases[alias] ?? 0) : 0;

export const aliasesOf = (model: Model, version: number): readonly string[] =>
  Object.keys(model.aliases)
    .filter((alias) => model.aliases[alias] === version)
    .sort();

export interface MoveRequest {
  readonly alias: string;
  /** The version to point to; absent removes the alias. */
  readonly target?: ModelVersion;
  /** Where the caller believes that it points; absent: wherever. */
  readonly expectedVersion?: number;
  readonly actor: Actor;
  /** ISO 8601, UTC. */
  readonly at: string;
  /**
   * An earlier move that pointed this alias to the same version: a rollback returns there even if its approval
   * has expired since, because a way back must not be closed by the passing of time.
   */
  readonly restores?: AliasMove;
  /** Endpoint whose deployment the alias follows; absent when somebody asks for the move. */
  readonly followedEndpoint?: string;
}

export type MoveDecision =
  | { readonly kind: 'moved'; readonly model: Model; readonly move: AliasMove }
  | {
      readonly kind: 'denied';
      readonly model: Model;
      readonly attempt: AliasMove;
      readonly objections: readonly Objection[];
    }
  /** It points there already. */
  | { readonly kind: 'unchanged' };

/**
 * Decides on moving an alias.
 * @throws Conflict when it does not point where the caller believes.
 * @throws FailedPrecondition when the target is archived.
 * @throws Invalid when a protected alias is removed without a reason.
 */
export const decideMove = (model: Model, policy: Policy, request: MoveRequest): MoveDecision => {
  const { alias, target, expectedVersion } = request;
  const fromVersion = aliasVersion(model, alias);
  if (expectedVersion !== undefined && expectedVersion !== fromVersion) {
    throw new Conflict(
      `alias ${alias} of ${model.name} points to ${describeVersion(fromVersion)}, not to ${describeVersion(expectedVersion)}`,
      { hint: 'Read it again, then decide.', details: { currentVersion: String(fromVersion) } },
    );
  }
  const toVersion = target?.number ?? 0;
  if (toVersion === fromVersion) return { kind: 'unchanged' };
  assertNotArchived(model, toVersion);

  const guarded = isProtected(policy, alias);
  if (guarded && target === undefined) requireReason(request.actor, `${alias} is protected`);
  const permission =
    guarded && target !== undefined
      ? permit(model, policy, target, request)
      : { approvalId: '', objections: [] };
  const move: AliasMove = {
    number: model.moveCount + 1,
    model: model.name,
    alias,
    fromVersion,
    toVersion,
    actor: request.actor,
    approvalId: permission.approvalId,
    at: notBefore(request.at, model.recentMoves.at(-1)?.at),
    followedEndpoint: request.followedEndpoint ?? '',
  };
  if (permission.objections.length > 0) {
    return {
      kind: 'denied',
      model: { ...model, denials: model.denials + 1 },
      attempt: move,
      objections: permission.objections,
    };
  }
  const { [alias]: _, ...others } = model.aliases;
  return {
    kind: 'moved',
    move,
    model: {
      ...model,
      aliases: toVersion === 0 ? others : { ...others, [alias]: toVersion },
      recentMoves: [...model.recentMoves, move],
      moveCount: move.number,
    },
  };
};

interface Permission {
  readonly approvalId: string;
  readonly objections: readonly Objection[];
}

/** Whether the policy lets a protected alias point to a version, and by which approval. */
const permit = (model: Model, policy: Policy, target: ModelVersion, request: MoveRequest): Permission => {
  const key = versionKey(target.model, target.number);
  const standing = approvalStanding(target, policy, request.at);
  if (model.withheld[target.number] === 'rejected' || standing.state === 'REJECTED') {
    return { approvalId: '', objections: [{ rule: 'rejected', message: `${key} was rejected` }] };
  }
  if (request.restores !== undefined) return { approvalId: request.restores.approvalId, objections: [] };

  const objections: Objection[] = [];
  if (standing.state !== 'APPROVED') {
    objections.push({
      rule: 'approvals',
      message: `${key} has ${standing.counting.length} of the ${policy.requiredApprovals} approvals that it needs`,
    });
  }
  const evaluation = standing.breakGlass ? undefined : evaluationObjection(target, policy);
  if (evaluation !== undefined) objections.push(evaluation);
  return { approvalId: standing.counting.at(-1)?.id ?? '', objections };
};

/**
 * Marks a version so that aliases keep off it from now on.
 * @throws FailedPrecondition when it is to be archived while an alias points to it.
 */
export const withhold = (model: Model, version: number, why: 'rejected' | 'archived'): Model => {
  const aliases = aliasesOf(model, version);
  if (why === 'archived' && aliases.length > 0) {
    throw new FailedPrecondition(
      `${versionKey(model.name, version)} cannot be archived: ${aliases.join(', ')} point${aliases.length === 1 ? 's' : ''} to it`,
      { hint: 'Move or remove the alias first.' },
    );
  }
  if (model.withheld[version] === 'archived') return model;
  return { ...model, withheld: { ...model.withheld, [version]: why } };
};

/** Takes back a rejection's mark, after a new approval. */
export const release = (model: Model, version: number): Model => {
  if (model.withheld[version] !== 'rejected') return model;
  const { [version]: _, ...withheld } = model.withheld;
  return { ...model, withheld };
};

const assertNotArchived = (model: Model, version: number): void => {
  if (model.withheld[version] === 'archived') {
    throw new FailedPrecondition(`${versionKey(model.name, version)} is archived`, {
      hint: 'Choose a version that is not archived.',
    });
  }
};

const describeVersion = (version: number): string => (version === 0 ? 'nothing' : `version ${version}`);

/** A clock that jumped back must not put a move before its predecessor. */
const notBefore = (at: string, earliest: string | undefined): string =>
  earliest !== undefined && Date.parse(earliest) > Date.parse(at) ? earliest : at;
