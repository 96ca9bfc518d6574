import { FailedPrecondition } from '@millrace/errors';
import { type Actor, requireReason } from './actor.ts';
import type { Approval, ModelVersion } from './model-version.ts';
import { versionKey } from './names.ts';
import type { Policy } from './policy.ts';

export type ApprovalState = 'PENDING' | 'APPROVED' | 'REJECTED';

/** A rule of the policy that is in the way. */
export interface Objection {
  readonly rule: 'approvals' | 'four_eyes' | 'evaluation' | 'rejected';
  readonly message: string;
}

export interface ApprovalStanding {
  readonly state: ApprovalState;
  /** Approvals that count now: after the last rejection, not expired, one per person. */
  readonly counting: readonly Approval[];
  /** Whether one of them overrode the policy. */
  readonly breakGlass: boolean;
}

const dayMs = 86_400_000;

const isActive = (approval: Approval, at: string): boolean =>
  approval.expiresAt === undefined || Date.parse(approval.expiresAt) > Date.parse(at);

/** Where a version stands under a policy at a time (ISO 8601). */
export const approvalStanding = (
  version: Pick<ModelVersion, 'approvals'>,
  policy: Policy,
  at: string,
): ApprovalStanding => {
  const lastRejection = version.approvals.findLastIndex(({ approved }) => !approved);
  const active = version.approvals.slice(lastRejection + 1).filter((approval) => isActive(approval, at));
  const counting = [...new Map(active.map((approval) => [approval.actor.name, approval])).values()];
  const breakGlass = counting.some((approval) => approval.breakGlass);
  if (breakGlass || counting.length >= policy.requiredApprovals) {
    return { state: 'APPROVED', counting, breakGlass };
  }
  const rejected = lastRejection >= 0 && counting.length === 0;
  return { state: rejected ? 'REJECTED' : 'PENDING', counting, breakGlass };
};

/** Why a version lacks the proof that its policy asks for, if it does. */
export const evaluationObjection = (version: ModelVersion, policy: Policy): Objection | undefined =>
  policy.requirePassedEvaluation && version.evidence.verdict !== 'VALIDATED'
    ? {
        rule: 'evaluation',
        message: `${versionKey(version.model, version.number)} has no passed evaluation of its model (verdict ${version.evidence.verdict})`,
      }
    : undefined;

export interface ApproveRequest {
  /** Id of the approval if it is given. */
  readonly id: string;
  readonly actor: Actor;
  readonly breakGlass: boolean;
  /** ISO 8601, UTC. */
  readonly at: string;
}

export type ApproveDecision =
  /** `complete`: the version now has all the approvals that it needs. */
  | {
      readonly kind: 'approved';
      readonly version: ModelVersion;
      readonly approval: Approval;
      readonly complete: boolean;
    }
  | { readonly kind: 'denied'; readonly version: ModelVersion; readonly objections: readonly Objection[] }
  /** This person's approval counts already. */
  | { readonly kind: 'unchanged' };

const objectionsTo = (
  version: ModelVersion,
  policy: Policy,
  actor: Actor,
  at: string,
): readonly Objection[] => {
  const objections: Objection[] = [];
  if (policy.fourEyes && actor.name === version.registeredBy.name) {
    objections.push({
      rule: 'four_eyes',
      message: `${actor.name} registered this version and may not approve it`,
    });
  }
  if (approvalStanding(version, policy, at).state === 'REJECTED') {
    const rejection = version.approvals.findLast(({ approved }) => !approved);
    objections.push({
      rule: 'rejected',
      message: `it was rejected by ${rejection?.actor.name ?? 'an approver'}: ${rejection?.actor.reason ?? ''}`,
    });
  }
  const evaluation = evaluationObjection(version, policy);
  return evaluation === undefined ? objections : [...objections, evaluation];
};

/**
 * Decides on an approval. Breaking the glass overrides every rule of the policy, once, with a reason.
 * @throws Invalid when the glass is broken without a reason.
 * @throws FailedPrecondition when the version is archived.
 */
export const decideApproval = (
  version: ModelVersion,
  policy: Policy,
  request: ApproveRequest,
): ApproveDecision => {
  assertNotArchived(version);
  if (request.breakGlass) requireReason(request.actor, 'approving against the policy needs one');
  else {
    const objections = objectionsTo(version, policy, request.actor, request.at);
    if (objections.length > 0) {
      return { kind: 'denied', version: { ...version, denials: version.denials + 1 }, objections };
    }
  }
  const before = approvalStanding(version, policy, request.at);
  const own = before.counting.find(({ actor }) => actor.name === request.actor.name);
  if (own !== undefined && (own.breakGlass || !request.breakGlass)) return { kind: 'unchanged' };

  const approval: Approval = {
    id: request.id,
    actor: request.actor,
    approved: true,
    breakGlass: request.breakGlass,
    at: request.at,
    ...(policy.approvalExpiryDays === 0
      ? {}
      : { expiresAt: new Date(Date.parse(request.at) + policy.approvalExpiryDays * dayMs).toISOString() }),
  };
  const approved = { ...version, approvals: [...version.approvals, approval] };
  const complete = approvalStanding(approved, policy, request.at).state === 'APPROVED';
  return { kind: 'approved', version: approved, approval, complete };
};

/**
 * Records a rejection, which voids the approvals so far.
 * @throws Invalid without a reason.
 * @throws FailedPrecondition when the version is archived.
 */
export const decideRejection = (
  version: ModelVersion,
  request: Omit<ApproveRequest, 'breakGlass'>,
): { readonly version: ModelVersion; readonly approval: Approval } => {
  assertNotArchived(version);
  requireReason(request.actor, 'a rejection says why');
  const approval: Approval = { ...request, approved: false, breakGlass: false };
  return { version: { ...version, approvals: [...version.approvals, approval] }, approval };
};

const assertNotArchived = (version: ModelVersion): void => {
  if (version.archived) {
    throw new FailedPrecondition(`${versionKey(version.model, version.number)} is archived`, {
      hint: 'An archived version can no longer be approved, rejected or promoted.',
    });
  }
};
