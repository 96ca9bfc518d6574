import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ada } from './fixtures.ts';
import { registerVersion } from './register-version.ts';
import { type Platform, startPlatform } from './service-fixture.ts';

describe('the registry over gRPC', () => {
  let platform: Platform;
  beforeAll(async () => {
    platform = await startPlatform();
    await platform.startRegistry();
    for (const number of [1, 2, 3]) await registerVersion(platform, 'flights', number);
    await registerVersion(platform, 'taxis', 1);
  });
  afterAll(() => platform.stop());

  const version = { model: 'flights', version: 1, actor: ada, breakGlass: false };
  const alias = { model: 'flights', alias: 'candidate', version: 1, expectedVersion: 0, actor: ada };
  const policy = {
    protectedAliases: ['production'],
    requiredApprovals: 1,
    fourEyes: false,
    approvalExpiryDays: 0,
    requirePassedEvaluation: true,
  };
  const lineage = { node: 'model:x', direction: 'LINEAGE_DIRECTION_BOTH', maxDepth: 0 } as const;
  const page = (limit: number, cursor = '') => ({ limit, cursor });

  const wrong: readonly [string, string, (client: Platform['client']) => Promise<unknown>][] = [
    ['getModel', 'model', (client) => client.getModel({ name: 'a/b' })],
    ['listModels', 'page.limit', (client) => client.listModels({ page: page(1_001) })],
    ['listModels', 'cursor', (client) => client.listModels({ page: page(1, 'nonsense') })],
    ['getModelVersion', 'version', (client) => client.getModelVersion({ model: 'flights', version: 0 })],
    [
      'approveModelVersion',
      'actor.name',
      (client) => client.approveModelVersion({ ...version, actor: undefined }),
    ],
    [
      'approveModelVersion',
      'actor.reason',
      (client) => client.approveModelVersion({ ...version, breakGlass: true }),
    ],
    ['rejectModelVersion', 'actor.reason', (client) => client.rejectModelVersion(version)],
    [
      'archiveModelVersion',
      'actor.name',
      (client) => client.archiveModelVersion({ ...version, actor: undefined }),
    ],
    ['setAlias', 'alias', (client) => client.setAlias({ ...alias, alias: 'latest' })],
    ['setAlias', 'expectedVersion', (client) => client.setAlias({ ...alias, expectedVersion: -1 })],
    ['resolveAlias', 'at', (client) => client.resolveAlias({ ...alias, at: '2999-01-01T00:00:00Z' })],
    [
      'listAliasHistory',
      'page.cursor',
      (client) => client.listAliasHistory({ ...alias, page: page(1, 'x') }),
    ],
    [
      'setPolicy',
      'policy.requiredApprovals',
      (client) => client.setPolicy({ model: '', policy: { ...policy, requiredApprovals: 0 }, actor: ada }),
    ],
    ['getLineage', 'node', (client) => client.getLineage({ ...lineage, node: 'flights/1' })],
    ['getLineage', 'maxDepth', (client) => client.getLineage({ ...lineage, maxDepth: 101 })],
    [
      'listAuditRecords',
      'after',
      (client) => client.listAuditRecords({ entity: '', after: -1, page: undefined }),
    ],
    ['verifyAudit', 'expectedHead', (client) => client.verifyAudit({ expectedHead: 'x', expectedNumber: 1 })],
  ];
  for (const [method, path, call] of wrong) {
    test(`${method} names ${path} when it is wrong`, async () => {
      await expect(call(platform.client)).rejects.toMatchObject({ code: 'invalid', violations: [{ path }] });
    });
  }

  test('says what does not exist', async () => {
    const { client } = platform;
    const missing = { code: 'not_found' };
    await expect(client.getModel({ name: 'no-such' })).rejects.toMatchObject(missing);
    await expect(client.getModelVersion({ model: 'flights', version: 99 })).rejects.toMatchObject(missing);
    await expect(client.resolveAlias({ ...alias, alias: 'never-set', at: undefined })).rejects.toMatchObject(
      missing,
    );
    await expect(client.getLineage(lineage)).rejects.toMatchObject(missing);
    await expect(client.setPolicy({ model: 'no-such', policy, actor: ada })).rejects.toMatchObject(missing);
  });

  test('lists models and versions page by page, versions newest first', async () => {
    const first = await platform.client.listModels({ page: page(1) });
    expect(first.models).toMatchObject([{ name: 'flights', latestVersion: 3, aliases: {} }]);
    const second = await platform.client.listModels({ page: page(1, first.page?.nextCursor) });
    expect(second.models).toMatchObject([{ name: 'taxis', latestVersion: 1 }]);
    expect(second.page?.nextCursor).toBe('');

    const newest = await platform.client.listModelVersions({ model: 'flights', page: page(2) });
    expect(newest.modelVersions.map((found) => found.version)).toEqual([3, 2]);
    const cursor = newest.page?.nextCursor ?? '';
    const oldest = await platform.client.listModelVersions({ model: 'flights', page: page(2, cursor) });
    expect(oldest.modelVersions.map((found) => found.version)).toEqual([1]);
  });

  test('has a default policy, and one of its own for a model that got one', async () => {
    const { client } = platform;
    expect((await client.getPolicy({ model: '' })).policy).toEqual(policy);
    const strict = { ...policy, protectedAliases: ['production', 'staging'], fourEyes: true };
    await client.setPolicy({ model: 'taxis', policy: strict, actor: ada });
    expect((await client.getPolicy({ model: 'taxis' })).policy).toEqual(strict);
    expect((await client.getPolicy({ model: 'flights' })).policy).toEqual(policy);
    await client.setPolicy({ model: '', policy: { ...policy, requiredApprovals: 2 }, actor: ada });
    expect((await client.getPolicy({ model: 'flights' })).policy?.requiredApprovals).toBe(2);
    await client.setPolicy({ model: '', policy, actor: ada });
  });

  test('shows aliases with the model and with the version', async () => {
    const { client } = platform;
    const { move } = await client.setAlias(alias);
    expect(move).toMatchObject({
      fromVersion: 0,
      toVersion: 1,
      actor: ada,
      approvalId: '',
      followedEndpoint: '',
    });
    expect((await client.getModel({ name: 'flights' })).model?.aliases).toEqual({ candidate: 1 });
    const { modelVersion } = await client.getModelVersion({ model: 'flights', version: 1 });
    expect(modelVersion?.aliases).toEqual(['candidate']);
    await expect(client.setAlias({ ...alias, version: 2 })).rejects.toMatchObject({
      code: 'conflict',
      details: { currentVersion: '1' },
    });
  });
});
