import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { grace } from './fixtures.ts';
import { life } from './life.ts';
import { registerVersion } from './register-version.ts';
import { eventually, type Platform, startPlatform } from './service-fixture.ts';

/** The broker holds what a dead process had in hand for 30 s before it gives it to the next. */
const redeliveryMs = 75_000;

describe('the registry killed with SIGKILL', () => {
  let platform: Platform;
  beforeEach(async () => {
    platform = await startPlatform();
  });
  afterEach(() => platform.stop());

  const actions = async (): Promise<string[]> => {
    const { records } = await platform.client.listAuditRecords({ entity: '', after: 0, page: undefined });
    return records.map(({ action }) => action).sort();
  };
  const expectIntactAudit = async (): Promise<void> => {
    const verdict = await platform.client.verifyAudit({ expectedHead: '', expectedNumber: 0 });
    expect(verdict).toMatchObject({ intact: true, reason: '' });
  };

  test('between commit and publication publishes after its restart what it had committed, once', async () => {
    const directory = join(platform.dataDir, 'registry');
    await mkdir(directory);
    const script = fileURLToPath(new URL('commit-and-die.ts', import.meta.url));
    const args = [script, join(directory, 'store.sqlite'), join(platform.dataDir, 'blobs')];
    const child = spawn(process.execPath, args, { stdio: 'inherit' });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);

    await platform.startRegistry();
    await eventually(async () =>
      expect(await actions()).toEqual(['alias.moved', 'model_version.approved', 'model_version.registered']),
    );
    await expectIntactAudit();
    const { model } = await platform.client.getModel({ name: 'flights' });
    expect(model).toMatchObject({ latestVersion: 1, aliases: { production: 1 } });
  });

  test('again and again loses nothing that it acknowledged and does nothing twice', {
    timeout: 2 * redeliveryMs,
  }, async () => {
    const rounds = 4;
    for (let number = 1; number <= rounds; number += 1) {
      const process = await platform.startRegistryProcess();
      await registerVersion(platform, 'flights', number);
      await platform.client.approveModelVersion({
        model: 'flights',
        version: number,
        actor: grace,
        breakGlass: false,
      });
      await life(platform, '').promoted(number, number);
      // Somewhere between the approval's event, the audit log and the alias that follows the promotion.
      process.kill('SIGKILL');
      await once(process, 'exit');
    }
    await platform.startRegistry();
    await eventually(async () => expect(await actions()).toHaveLength(4 * rounds), redeliveryMs);
    await expectIntactAudit();
    const page = await platform.client.listAliasHistory({ model: 'flights', alias: '', page: undefined });
    expect(page.moves.map(({ toVersion }) => toVersion)).toEqual([4, 3, 2, 1]);
    const { modelVersions } = await platform.client.listModelVersions({ model: 'flights', page: undefined });
    expect(modelVersions.map(({ version, approvalState }) => [version, approvalState])).toEqual(
      [4, 3, 2, 1].map((version) => [version, 'APPROVAL_STATE_APPROVED']),
    );
    const { nodes } = await platform.client.getLineage({
      node: 'model_version:flights/4',
      direction: 'LINEAGE_DIRECTION_DOWNSTREAM',
      maxDepth: 0,
    });
    expect(nodes.map(({ id }) => id)).toEqual(
      expect.arrayContaining(['alias:flights/production', 'endpoint_revision:fast/4']),
    );
  });
});
