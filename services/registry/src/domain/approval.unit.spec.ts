import { describe, expect, test } from 'vitest';
import { ada, because, days, grace, minutes, versionOf } from '../../test/fixtures.ts';
import type { Actor } from './actor.ts';
import { type ApproveDecision, approvalStanding, decideApproval, decideRejection } from './approval.ts';
import type { ModelVersion } from './model-version.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const approve = (
  version: ModelVersion,
  actor: Actor,
  policy: Policy = defaultPolicy,
  { at = minutes(1), breakGlass = false } = {},
): ApproveDecision =>
  decideApproval(version, policy, { id: `apr_${actor.name}_${at}`, actor, at, breakGlass });

const approved = (decision: ApproveDecision): ModelVersion => {
  if (decision.kind !== 'approved') throw new Error(`it was ${decision.kind}`);
  return decision.version;
};

const rulesOf = (decision: ApproveDecision): readonly string[] =>
  decision.kind === 'denied' ? decision.objections.map(({ rule }) => rule) : [];

describe('approval', () => {
  test('of one person is enough by default', () => {
    const decision = approve(versionOf(1), ada);
    expect(decision).toMatchObject({ kind: 'approved', complete: true });
    expect(approvalStanding(approved(decision), defaultPolicy, minutes(2)).state).toBe('APPROVED');
  });

  test('needs as many different people as the policy says', () => {
    const policy = { ...defaultPolicy, requiredApprovals: 2 };
    const first = approve(versionOf(1), ada, policy);
    expect(first).toMatchObject({ complete: false });
    expect(approve(approved(first), ada, policy)).toEqual({ kind: 'unchanged' });
    expect(approve(approved(first), grace, policy)).toMatchObject({ complete: true });
  });

  test('is not given by the one who registered the version, under four eyes', () => {
    const policy = { ...defaultPolicy, fourEyes: true };
    const decision = approve(versionOf(1), ada, policy);
    expect(rulesOf(decision)).toEqual(['four_eyes']);
    expect(decision).toMatchObject({ version: { denials: 1, approvals: [] } });
    expect(approve(versionOf(1), grace, policy)).toMatchObject({ complete: true });
  });

  test('is not given to a version without a passed evaluation, unless the policy does not ask for one', () => {
    const unproven = versionOf(1, { evidence: { reportId: 'rep_1', verdict: 'UNKNOWN', metrics: {} } });
    expect(rulesOf(approve(unproven, ada))).toEqual(['evaluation']);
    const lenient = { ...defaultPolicy, requirePassedEvaluation: false };
    expect(approve(unproven, ada, lenient)).toMatchObject({ complete: true });
  });

  test('stops counting when it expires', () => {
    const policy = { ...defaultPolicy, approvalExpiryDays: 30 };
    const version = approved(approve(versionOf(1), ada, policy, { at: days(0) }));
    expect(approvalStanding(version, policy, days(29)).state).toBe('APPROVED');
    expect(approvalStanding(version, policy, days(30)).state).toBe('PENDING');
    expect(approve(version, ada, policy, { at: days(31) })).toMatchObject({ complete: true });
  });

  test('counts for less when the policy asks for more afterwards', () => {
    const version = approved(approve(versionOf(1), ada));
    expect(approvalStanding(version, { ...defaultPolicy, requiredApprovals: 2 }, minutes(2)).state).toBe(
      'PENDING',
    );
  });

  test('is voided by a rejection, after which only breaking the glass helps', () => {
    const request = { id: 'apr_no', actor: because(grace, 'it favours short flights'), at: minutes(2) };
    const { version } = decideRejection(approved(approve(versionOf(1), ada)), request);
    expect(approvalStanding(version, defaultPolicy, minutes(3)).state).toBe('REJECTED');
    const refused = approve(version, ada, defaultPolicy, { at: minutes(3) });
    expect(rulesOf(refused)).toEqual(['rejected']);
    expect(JSON.stringify(refused)).toContain('it favours short flights');
    const forced = approve(version, because(ada, 'the old one is worse'), defaultPolicy, {
      at: minutes(4),
      breakGlass: true,
    });
    expect(approvalStanding(approved(forced), defaultPolicy, minutes(5)).state).toBe('APPROVED');
  });

  test('against the policy needs a reason and overrides every rule', () => {
    const policy = { ...defaultPolicy, fourEyes: true, requiredApprovals: 3 };
    const unproven = versionOf(1, { evidence: { reportId: 'rep_1', verdict: 'UNKNOWN', metrics: {} } });
    expect(() => approve(unproven, ada, policy, { breakGlass: true })).toThrow(
      /^actor\.reason: must not be empty/,
    );
    const decision = approve(unproven, because(ada, 'site down'), policy, { breakGlass: true });
    expect(decision).toMatchObject({ complete: true, approval: { breakGlass: true } });
    expect(approvalStanding(approved(decision), policy, minutes(2))).toMatchObject({ breakGlass: true });
  });

  test('and rejection are refused once the version is archived', () => {
    const archived = versionOf(1, { archived: true });
    expect(() => approve(archived, ada)).toThrow(/is archived/);
    expect(() => decideRejection(archived, { id: 'x', actor: because(ada, 'y'), at: minutes(1) })).toThrow(
      /is archived/,
    );
  });

  test('rejection says why', () => {
    expect(() => decideRejection(versionOf(1), { id: 'x', actor: ada, at: minutes(1) })).toThrow(
      /^actor\.reason/,
    );
  });
});
