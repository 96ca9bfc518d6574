import { ErrorCode } from '@millrace/errors';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { approveModelVersion } from '../src/application/approve-model-version.ts';
import { archiveModelVersion } from '../src/application/archive-model-version.ts';
import { listAliasHistory } from '../src/application/list-alias-history.ts';
import { registerModelVersion } from '../src/application/register-model-version.ts';
import { rejectModelVersion } from '../src/application/reject-model-version.ts';
import { resolveAlias } from '../src/application/resolve-alias.ts';
import { setAlias } from '../src/application/set-alias.ts';
import { setPolicy } from '../src/application/set-policy.ts';
import { defaultPolicy } from '../src/domain/policy.ts';
import { ada, because, digestNumber, grace, registrationOf } from './fixtures.ts';
import { openRegistry, type RegistryFixture } from './registry-fixture.ts';

/** Numerical Recipes' 32-bit generator: enough to draw times and versions, equal on every run. */
const seededDraw = (seed: number) => {
  let state = seed >>> 0;
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
};

describe('aliases', () => {
  let registry: RegistryFixture;
  beforeEach(async () => {
    registry = await openRegistry();
    for (const number of [1, 2, 3, 4]) {
      await registerModelVersion(registry.context, registrationOf({ digest: digestNumber(number) }));
    }
  });
  afterEach(() => registry.dispose());

  const point = (alias: string, version: number, expectedVersion: number, actor = ada) =>
    setAlias(registry.context, { model: 'flights', alias, version, expectedVersion, actor });
  const approve = (version: number, changes: object = {}) =>
    approveModelVersion(registry.context, {
      model: 'flights',
      version,
      actor: grace,
      breakGlass: false,
      ...changes,
    });
  const resolve = async (alias: string, at?: string): Promise<number> => {
    const query = at === undefined ? { model: 'flights', alias } : { model: 'flights', alias, at };
    return resolveAlias(registry.context, query).then(
      ({ modelVersion }) => modelVersion.version,
      (error: { code: string }) => {
        if (error.code === ErrorCode.notFound) return 0;
        throw error;
      },
    );
  };
  const eventTypes = async (): Promise<string[]> =>
    (await registry.store.outbox.pending(1_000))
      .map(({ type }) => type.replace('millrace.registry.', ''))
      .filter((type) => !type.startsWith('model_version.registered'));

  test('are moved by exactly one of many who believed the same', async () => {
    const contexts = [registry.context, await registry.another()];
    for (let round = 0; round < 5; round += 1) {
      const before = await resolve('candidate');
      const others = [1, 2, 3, 4].filter((version) => version !== before);
      const results = await Promise.allSettled(
        Array.from({ length: 20 }, (_, index) =>
          setAlias(contexts[index % 2] ?? registry.context, {
            model: 'flights',
            alias: 'candidate',
            version: others[index % others.length] ?? 0,
            expectedVersion: before,
            actor: { name: `user:${index}`, reason: '' },
          }),
        ),
      );
      const moves = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      const reasons = results.flatMap((result) => (result.status === 'rejected' ? [result.reason.code] : []));
      expect(new Set(reasons)).toEqual(new Set([ErrorCode.conflict]));
      expect(moves).toHaveLength(1);
      expect(moves[0]).toMatchObject({ fromVersion: before, toVersion: await resolve('candidate') });
    }
    const query = { model: 'flights', alias: 'candidate', limit: 100 };
    expect((await listAliasHistory(registry.context, query)).moves).toHaveLength(5);
  });

  test('answer for any past time what a replay of the events answers', async () => {
    const draw = seededDraw(42);
    const start = registry.clock;
    await setPolicy(registry.context, {
      model: '',
      policy: { ...defaultPolicy, protectedAliases: [] },
      actor: ada,
    });
    for (let index = 0; index < 300; index += 1) {
      registry.clock += draw(5_000);
      const alias = ['production', 'candidate'][draw(2)] as string;
      const current = await resolve(alias);
      const version = draw(5);
      if (version !== current) await point(alias, version, current);
    }
    const end = registry.clock;
    const moves = (await registry.store.outbox.pending(1_000))
      .filter(({ type }) => type === 'millrace.registry.alias.moved.v1')
      .map(
        ({ json }) => (JSON.parse(json) as { move: { alias: string; toVersion?: number; at: string } }).move,
      );
    expect(moves.length).toBeGreaterThan(200);
    for (let index = 0; index < 200; index += 1) {
      const at = new Date(start + draw(end - start + 1)).toISOString();
      const alias = ['production', 'candidate'][draw(2)] as string;
      let replayed = 0;
      for (const move of moves) {
        if (move.alias === alias && Date.parse(move.at) <= Date.parse(at)) replayed = move.toVersion ?? 0;
      }
      expect(await resolve(alias, at), `${alias} at ${at}`).toBe(replayed);
    }
    const walked: number[] = [];
    let cursor: string | undefined;
    do {
      const page = await listAliasHistory(registry.context, {
        model: 'flights',
        alias: '',
        limit: 37,
        ...(cursor === undefined ? {} : { cursor }),
      });
      walked.push(...page.moves.map(({ number }) => number));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(walked).toEqual(Array.from({ length: moves.length }, (_, index) => moves.length - index));
  });

  test('refuse a time that is none or lies ahead', async () => {
    await expect(resolve('candidate', 'yesterday')).rejects.toMatchObject({ violations: [{ path: 'at' }] });
    await expect(resolve('candidate', '2999-01-01T00:00:00Z')).rejects.toMatchObject({
      violations: [{ path: 'at' }],
    });
  });

  test('that are protected wait for approval, and a refusal is an event', async () => {
    const refused = { code: ErrorCode.failedPrecondition, message: expect.stringContaining('approvals') };
    await expect(point('production', 1, 0)).rejects.toMatchObject(refused);
    expect(await resolve('production')).toBe(0);
    const approved = await approve(1);
    expect(approved.approvalState).toBe('APPROVAL_STATE_APPROVED');
    const move = await point('production', 1, 0);
    expect(move.approvalId).toBe(approved.approvals[0]?.id);
    expect(await eventTypes()).toEqual([
      'alias.move_denied.v1',
      'model_version.approved.v1',
      'alias.moved.v1',
    ]);
  });

  test('that are protected lose their approval with a rejection', async () => {
    await approve(1);
    await rejectModelVersion(registry.context, {
      model: 'flights',
      version: 1,
      actor: because(grace, 'too slow'),
    });
    await expect(point('production', 1, 0)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    await expect(approve(1)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    await approve(1, { actor: because(ada, 'the slow one is right'), breakGlass: true });
    expect((await point('production', 1, 0)).toVersion).toBe(1);
  });

  test('that are protected need two people where the policy says so', async () => {
    const policy = { ...defaultPolicy, requiredApprovals: 2, fourEyes: true };
    await setPolicy(registry.context, { model: 'flights', policy, actor: ada });
    await expect(approve(1, { actor: ada })).rejects.toMatchObject({ code: ErrorCode.denied });
    expect((await approve(1)).approvalState).toBe('APPROVAL_STATE_PENDING');
    await expect(point('production', 1, 0)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    await approve(1, { actor: { name: 'user:barbara', reason: '' } });
    expect((await point('production', 1, 0)).toVersion).toBe(1);
    expect(await eventTypes()).toEqual([
      'policy.changed.v1',
      'model_version.approval_denied.v1',
      'model_version.approval_added.v1',
      'alias.move_denied.v1',
      'model_version.approved.v1',
      'alias.moved.v1',
    ]);
  });

  test('keep off archived versions, and a version that has one is not archived', async () => {
    await point('candidate', 1, 0);
    const archive = (version: number) =>
      archiveModelVersion(registry.context, { model: 'flights', version, actor: ada });
    await expect(archive(1)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    expect((await archive(2)).archived).toBe(true);
    expect((await archive(2)).archived).toBe(true);
    await expect(point('candidate', 2, 1)).rejects.toMatchObject({ code: ErrorCode.failedPrecondition });
    expect(await eventTypes()).toEqual(['alias.moved.v1', 'model_version.archived.v1']);
  });

  test('and archiving never win both, however they race', async () => {
    for (const version of [1, 2, 3, 4]) {
      const before = await resolve('candidate');
      const [moved, archived] = await Promise.allSettled([
        point('candidate', version, before),
        archiveModelVersion(registry.context, { model: 'flights', version, actor: ada }),
      ]);
      expect([moved.status, archived.status].filter((status) => status === 'fulfilled')).toHaveLength(1);
    }
  });

  test('refuse what does not exist', async () => {
    const missing = { code: ErrorCode.notFound };
    await expect(point('candidate', 9, 0)).rejects.toMatchObject(missing);
    await expect(point('candidate', 0, 0)).rejects.toMatchObject(missing);
    const command = { model: 'taxis', alias: 'candidate', version: 1, expectedVersion: 0, actor: ada };
    await expect(setAlias(registry.context, command)).rejects.toMatchObject(missing);
    expect(await eventTypes()).toEqual([]);
  });
});
