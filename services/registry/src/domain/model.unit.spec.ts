import { ErrorCode } from '@millrace/errors';
import { describe, expect, test } from 'vitest';
import { ada, because, days, grace, minutes, versionOf } from '../../test/fixtures.ts';
import { moveInForceAt } from './alias-history.ts';
import {
  aliasesOf,
  decideMove,
  type Model,
  type MoveDecision,
  type MoveRequest,
  newModel,
  release,
  withhold,
} from './model.ts';
import type { Approval, ModelVersion } from './model-version.ts';
import { defaultPolicy, type Policy } from './policy.ts';

const approval = (changes: Partial<Approval> = {}): Approval => ({
  id: 'apr_1',
  actor: grace,
  approved: true,
  breakGlass: false,
  at: minutes(0),
  ...changes,
});
const approvedVersion = (number: number, changes: Partial<ModelVersion> = {}): ModelVersion =>
  versionOf(number, { approvals: [approval()], ...changes });

const move = (
  model: Model,
  request: Partial<MoveRequest> & Pick<MoveRequest, 'alias'>,
  policy: Policy = defaultPolicy,
): MoveDecision => decideMove(model, policy, { actor: ada, at: minutes(1), ...request });

const moved = (decision: MoveDecision): Model => {
  if (decision.kind !== 'moved') throw new Error(`it was ${decision.kind}`);
  return decision.model;
};

const empty = newModel('flights', minutes(0));

describe('moving an alias', () => {
  test('points it to a version and remembers from where, by whom and when', () => {
    const first = moved(move(empty, { alias: 'candidate', target: versionOf(1) }));
    const decision = move(first, { alias: 'candidate', target: versionOf(2), at: minutes(2) });
    expect(decision).toMatchObject({
      kind: 'moved',
      move: { number: 2, fromVersion: 1, toVersion: 2, actor: ada, at: minutes(2), approvalId: '' },
    });
    expect(aliasesOf(moved(decision), 2)).toEqual(['candidate']);
    expect(aliasesOf(moved(decision), 1)).toEqual([]);
  });

  test('is refused when it points elsewhere than the caller believes', () => {
    const model = moved(move(empty, { alias: 'candidate', target: versionOf(1) }));
    for (const expectedVersion of [0, 2]) {
      expect(() => move(model, { alias: 'candidate', target: versionOf(2), expectedVersion })).toThrow(
        expect.objectContaining({ code: ErrorCode.conflict, details: { currentVersion: '1' } }),
      );
    }
    expect(move(model, { alias: 'candidate', target: versionOf(2), expectedVersion: 1 }).kind).toBe('moved');
  });

  test('to where it points already changes nothing', () => {
    const model = moved(move(empty, { alias: 'candidate', target: versionOf(1) }));
    expect(move(model, { alias: 'candidate', target: versionOf(1) })).toEqual({ kind: 'unchanged' });
  });

  test('needs approval and a passed evaluation for a protected alias, and says which approval let it', () => {
    const unproven = versionOf(1, { evidence: { reportId: '', verdict: 'UNKNOWN', metrics: {} } });
    const denied = move(empty, { alias: 'production', target: unproven });
    expect(denied).toMatchObject({
      kind: 'denied',
      model: { aliases: {}, denials: 1, moveCount: 0 },
      objections: [{ rule: 'approvals' }, { rule: 'evaluation' }],
    });
    expect(move(empty, { alias: 'production', target: approvedVersion(1) })).toMatchObject({
      kind: 'moved',
      move: { approvalId: 'apr_1' },
    });
  });

  test('accepts a broken glass in place of approvals and evaluation', () => {
    const target = versionOf(1, {
      evidence: { reportId: '', verdict: 'UNKNOWN', metrics: {} },
      approvals: [approval({ breakGlass: true })],
    });
    expect(
      move(empty, { alias: 'production', target }, { ...defaultPolicy, requiredApprovals: 4 }).kind,
    ).toBe('moved');
  });

  test('does not accept an approval that has expired', () => {
    const target = versionOf(1, { approvals: [approval({ expiresAt: days(1) })] });
    expect(move(empty, { alias: 'production', target, at: days(0) }).kind).toBe('moved');
    expect(move(empty, { alias: 'production', target, at: days(2) }).kind).toBe('denied');
  });

  test('returns in a rollback to a version that held the alias, even though its approval has expired', () => {
    const target = versionOf(1, { approvals: [approval({ expiresAt: days(1) })] });
    const first = move(empty, { alias: 'production', target, at: days(0) });
    const next = move(moved(first), { alias: 'production', target: approvedVersion(2), at: days(1) });
    if (first.kind !== 'moved') throw new Error('not moved');
    const back = { alias: 'production', target, at: days(5) };
    expect(move(moved(next), back).kind).toBe('denied');
    expect(move(moved(next), { ...back, restores: first.move })).toMatchObject({
      kind: 'moved',
      move: { fromVersion: 2, toVersion: 1, approvalId: 'apr_1' },
    });
    const rejected = withhold(moved(next), 1, 'rejected');
    expect(move(rejected, { ...back, restores: first.move }).kind).toBe('denied');
  });

  test('keeps protected aliases off a rejected version until a new approval lifts it', () => {
    const rejected = withhold(empty, 1, 'rejected');
    expect(move(rejected, { alias: 'production', target: approvedVersion(1) }).kind).toBe('denied');
    expect(move(rejected, { alias: 'candidate', target: approvedVersion(1) }).kind).toBe('moved');
    expect(move(release(rejected, 1), { alias: 'production', target: approvedVersion(1) }).kind).toBe(
      'moved',
    );
  });

  test('keeps every alias off an archived version, for good', () => {
    const archived = withhold(withhold(empty, 1, 'archived'), 1, 'rejected');
    expect(() => move(release(archived, 1), { alias: 'candidate', target: versionOf(1) })).toThrow(
      /is archived/,
    );
  });

  test('removes it, with a reason when it is protected', () => {
    const model = moved(move(empty, { alias: 'production', target: approvedVersion(1) }));
    expect(() => move(model, { alias: 'production' })).toThrow(/^actor\.reason/);
    const removed = moved(move(model, { alias: 'production', actor: because(ada, 'retired') }));
    expect(removed.aliases).toEqual({});
    expect(removed.recentMoves.at(-1)).toMatchObject({ fromVersion: 1, toVersion: 0 });
  });

  test('never dates a move before the one before, when the clock jumps back', () => {
    const model = moved(move(empty, { alias: 'candidate', target: versionOf(1), at: minutes(10) }));
    const decision = move(model, { alias: 'candidate', target: versionOf(2), at: minutes(5) });
    expect(decision).toMatchObject({ move: { at: minutes(10) } });
    expect(moveInForceAt(moved(decision).recentMoves, 'candidate', minutes(10))?.toVersion).toBe(2);
  });
});

test('a version cannot be archived while an alias points to it', () => {
  const model = moved(move(empty, { alias: 'candidate', target: versionOf(1) }));
  expect(() => withhold(model, 1, 'archived')).toThrow(/candidate points to it/);
  expect(withhold(model, 2, 'archived').withheld).toEqual({ 2: 'archived' });
});
