import { deploymentEvents } from '@millrace/contracts/deployment';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { pipelineEvents } from '@millrace/contracts/pipeline';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { verifyAuditChain } from '../src/service.ts';
import { ada, grace } from './fixtures.ts';
import { life } from './life.ts';
import { registerVersion } from './register-version.ts';
import { eventually, type Order, type Platform, startPlatform } from './service-fixture.ts';

describe('the registry and the events of others', () => {
  let platform: Platform;
  let digests: string[];
  beforeEach(async () => {
    platform = await startPlatform();
    await platform.startRegistry();
    digests = [];
  });
  afterEach(() => platform.stop());

  /** Registers versions 1 to `count`. */
  const registerVersions = async (count: number): Promise<void> => {
    for (let number = 1; number <= count; number += 1) {
      digests.push(await registerVersion(platform, 'flights', number));
    }
  };
  const approve = (version: number) =>
    platform.client.approveModelVersion({ model: 'flights', version, actor: grace, breakGlass: false });
  const production = async (): Promise<number> => {
    const { model } = await platform.client.getModel({ name: 'flights' });
    return model?.aliases.production ?? 0;
  };
  const history = async () =>
    (await platform.client.listAliasHistory({ model: 'flights', alias: 'production', page: undefined })).moves
      .map(({ fromVersion, toVersion }) => `${fromVersion}→${toVersion}`)
      .reverse();
  const audited = async () => {
    const { records } = await platform.client.listAuditRecords({ entity: '', after: 0, page: undefined });
    return records;
  };
  const lineage = (node: string, direction: 'UPSTREAM' | 'DOWNSTREAM') =>
    platform.client.getLineage({ node, direction: `LINEAGE_DIRECTION_${direction}`, maxDepth: 0 });

  test('moves the alias that follows an endpoint with a promotion and back with a rollback', async () => {
    await registerVersions(2);
    await approve(1);
    await approve(2);
    const { promoted, rolledBack } = life(platform, digests[0] ?? '');
    await promoted(1, 1);
    await eventually(async () => expect(await production()).toBe(1));
    await promoted(2, 2);
    await eventually(async () => expect(await production()).toBe(2));
    await rolledBack([2, 2], [1, 1]);
    await eventually(async () => expect(await history()).toEqual(['0→1', '1→2', '2→1']));
    const { move } = await platform.client.resolveAlias({
      model: 'flights',
      alias: 'production',
      at: undefined,
    });
    expect(move).toMatchObject({
      actor: {
        name: 'service:deployment',
        reason: 'revision 2 rolled back at endpoint fast after alert alert_1',
      },
      approvalId: expect.stringMatching(/^apr_/),
      followedEndpoint: 'fast',
    });
    const { reactions } = await platform.client.listReactions({});
    expect(reactions).toMatchObject([{ name: 'deployment-moves-alias', enabled: true, fired: 3 }]);
  });

  test('does not move a protected alias to a version that nobody approved, and says so', async () => {
    await registerVersions(1);
    await life(platform, digests[0] ?? '').promoted(1, 1);
    await eventually(async () =>
      expect((await audited()).map(({ action }) => action)).toContain('alias.move_denied'),
    );
    expect(await production()).toBe(0);
  });

  test('leaves the alias alone while the reaction is switched off', async () => {
    await registerVersions(1);
    await approve(1);
    const name = 'deployment-moves-alias';
    const switched = await platform.client.setReaction({ name, enabled: false, actor: grace });
    expect(switched.reaction).toMatchObject({ name, enabled: false });
    await life(platform, digests[0] ?? '').promoted(1, 1);
    await eventually(async () =>
      expect((await audited()).map(({ action }) => action)).toEqual(
        expect.arrayContaining(['reaction.switched', 'deployment.promoted']),
      ),
    );
    expect(await production()).toBe(0);
    await expect(
      platform.client.setReaction({ name: 'no-such', enabled: true, actor: grace }),
    ).rejects.toMatchObject({ code: 'not_found' });
  });

  test('ends the same when every event comes again, twice and in any order', async () => {
    await registerVersions(2);
    await approve(1);
    await approve(2);
    const { promoted, rolledBack } = life(platform, digests[0] ?? '');
    await promoted(1, 1);
    await promoted(2, 2);
    await rolledBack([2, 2], [1, 1]);
    await promoted(3, 2);
    await eventually(async () => expect(await history()).toEqual(['0→1', '1→2', '2→1', '1→2']));
    await eventually(async () => expect(await audited()).toHaveLength(12));

    await platform.republish('millrace.evt', (stored) => [...stored.toReversed(), ...stored, ...stored]);
    // One event more, behind all the repeats: once it is seen, they were.
    await platform.publish(pipelineEvents.runResumed, 'run_9', { pipelineRunId: 'run_9', actor: ada });
    await eventually(async () =>
      expect((await audited()).map(({ action }) => action)).toContain('run.resumed'),
    );
    expect(await audited()).toHaveLength(13);
    expect(await history()).toEqual(['0→1', '1→2', '2→1', '1→2']);
  });

  test('learns events that came in the wrong order and twice as if they had come right', async () => {
    await registerVersions(2);
    await approve(1);
    await approve(2);
    await platform.stopRegistry();
    const { promoted, rolledBack } = life(platform, digests[0] ?? '');
    await promoted(1, 1);
    await promoted(2, 2);
    await rolledBack([2, 2], [1, 1]);
    const backwardsThrice: Order = (stored) => [1, 2, 3].flatMap(() => stored.toReversed());
    await platform.republish('millrace.evt.deployment', backwardsThrice, { purge: true });
    await platform.startRegistry();
    await eventually(async () => expect(await history()).toEqual(['0→1', '1→2', '2→1']));
  });

  test('knows the way from a file to the endpoint and from the endpoint to commit, data and approver', async () => {
    await registerVersions(1);
    const model = digests[0] ?? '';
    const { pipelineRequested, datasetCreated, trained, evaluated, deployed, promoted, alertRaised } = life(
      platform,
      model,
    );
    // Not in the order of life: each service's events come when they come.
    await alertRaised(1);
    await deployed(1, 1);
    await evaluated();
    await trained();
    await datasetCreated();
    await pipelineRequested();
    await approve(1);
    await promoted(1, 1);

    await eventually(async () => {
      const { nodes } = await lineage('source:sha256:january', 'DOWNSTREAM');
      expect(nodes.map(({ id }) => id)).toEqual(
        expect.arrayContaining([
          'dataset_version:flights@01',
          'training_run:t1',
          `model:${model}`,
          'model_version:flights/1',
          'alias:flights/production',
          'endpoint_revision:fast/1',
          'alert:alert_1',
        ]),
      );
      const revision = nodes.find(({ id }) => id === 'endpoint_revision:fast/1');
      expect(revision?.attributes).toMatchObject({ state: 'serving', trafficPercent: '100' });
    });
    const upstream = await lineage('endpoint_revision:fast/1', 'UPSTREAM');
    const ids = upstream.nodes.map(({ id }) => id);
    expect(ids).toEqual(
      expect.arrayContaining([
        'commit:c0ffee',
        'source:sha256:january',
        'pipeline_run:run_1',
        'split:sha256:test',
      ]),
    );
    expect(ids).not.toContain('alert:alert_1');
    expect(upstream.nodes.find(({ id }) => id === 'model_version:flights/1')?.attributes).toMatchObject({
      approvalState: 'APPROVED',
      decidedBy: 'user:grace',
    });
    const near = await platform.client.getLineage({
      node: 'model_version:flights/1',
      direction: 'LINEAGE_DIRECTION_BOTH',
      maxDepth: 1,
    });
    expect(near.truncated).toBe(true);
    expect(near.nodes.map(({ id }) => id)).toEqual(
      expect.arrayContaining([`model:${model}`, 'endpoint_revision:fast/1']),
    );
  });

  test('records who switched a reaction, pushed a project or saw an alert in another service', async () => {
    const by = { actor: { name: 'user:eve', reason: 'quiet night' } };
    const { publish } = platform;
    await publish(pipelineEvents.projectPushed, 'flights', { project: { revision: 2 }, ...by });
    await publish(pipelineEvents.triggerDeleted, 'nightly', { trigger: { project: 'flights' }, ...by });
    for (const { reactionSwitched } of [pipelineEvents, deploymentEvents, monitoringEvents]) {
      await publish(reactionSwitched, 'r', { reaction: { name: 'r', enabled: false }, ...by });
    }
    await publish(monitoringEvents.alertAcknowledged, 'a1', { alert: { rule: 'drift' }, ...by });
    await eventually(async () => {
      const told = (await audited()).map(({ action, entity, actor }) => [action, entity, actor?.name]);
      expect(told.sort()).toEqual([
        ['alert.acknowledged', 'monitoring.alert/a1', 'user:eve'],
        ['project.pushed', 'pipeline.project/flights', 'user:eve'],
        ['reaction.switched', 'deployment.reaction/r', 'user:eve'],
        ['reaction.switched', 'monitoring.reaction/r', 'user:eve'],
        ['reaction.switched', 'pipeline.reaction/r', 'user:eve'],
        ['trigger.deleted', 'pipeline.trigger/nightly', 'user:eve'],
      ]);
    });
  });

  test('keeps one audit log of everybody, which an export proves without the service', async () => {
    await registerVersions(1);
    await approve(1);
    const { pipelineRequested, promoted } = life(platform, digests[0] ?? '');
    await pipelineRequested();
    await promoted(1, 1);
    await eventually(async () =>
      expect((await audited()).map(({ action }) => action).sort()).toEqual([
        'alias.moved',
        'deployment.promoted',
        'model_version.approved',
        'model_version.registered',
        'run.requested',
      ]),
    );
    const { intact, head, records } = await platform.client.verifyAudit({
      expectedHead: '',
      expectedNumber: 0,
    });
    expect({ intact, records }).toEqual({ intact: true, records: 5 });

    const exported = (await audited()).map((record) => ({
      ...record,
      at: record.at ?? '',
      actor: record.actor ?? ada,
      facts: record.facts ?? {},
    }));
    expect(await verifyAuditChain(exported, { number: 5, hash: head })).toMatchObject({ intact: true });
    const [first, ...rest] = exported;
    if (first === undefined) throw new Error('the log is empty');
    const edited = [{ ...first, actor: { name: 'user:mallory', reason: '' } }, ...rest];
    expect(await verifyAuditChain(edited)).toMatchObject({ intact: false, brokenAt: 1 });
    expect(
      await platform.client.verifyAudit({ expectedHead: 'f'.repeat(64), expectedNumber: 5 }),
    ).toMatchObject({ intact: false, brokenAt: 5 });
  });
});
