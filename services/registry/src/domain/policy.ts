import { Invalid } from '@millrace/errors';
import { parseAlias } from './names.ts';

/** What must hold before a protected alias may point to a version. */
export interface Policy {
  readonly protectedAliases: readonly string[];
  /** Different people who must approve. */
  readonly requiredApprovals: number;
  /** The one who registered a version may not approve it. */
  readonly fourEyes: boolean;
  /** Days after which an approval no longer counts; 0: never. */
  readonly approvalExpiryDays: number;
  /** Promotion needs a passed evaluation of the very model. */
  readonly requirePassedEvaluation: boolean;
}

/** Four eyes is off because the embedded mode has one user; a team switches it on for the default policy. */
export const defaultPolicy: Policy = {
  protectedAliases: ['production'],
  requiredApprovals: 1,
  fourEyes: false,
  approvalExpiryDays: 0,
  requirePassedEvaluation: true,
};

const wholeBetween = (value: number, least: number, most: number, path: string): number => {
  if (Number.isInteger(value) && value >= least && value <= most) return value;
  throw Invalid.field(path, `must be a whole number from ${least} to ${most}`);
};

/** @throws Invalid naming the field. */
export const parsePolicy = (policy: Policy | undefined, path = 'policy'): Policy => {
  if (policy === undefined) throw Invalid.field(path, 'is missing');
  return {
    protectedAliases: [
      ...new Set(
        policy.protectedAliases.map((alias, index) =>
          parseAlias(alias, `${path}.protectedAliases[${index}]`),
        ),
      ),
    ],
    requiredApprovals: wholeBetween(policy.requiredApprovals, 1, 20, `${path}.requiredApprovals`),
    fourEyes: policy.fourEyes,
    approvalExpiryDays: wholeBetween(policy.approvalExpiryDays, 0, 3_650, `${path}.approvalExpiryDays`),
    requirePassedEvaluation: policy.requirePassedEvaluation,
  };
};

export const isProtected = (policy: Policy, alias: string): boolean =>
  policy.protectedAliases.includes(alias);
