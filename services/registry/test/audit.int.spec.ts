import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { appendAuditRecord, auditKey } from '../src/application/append-audit-record.ts';
import { listAuditRecords } from '../src/application/list-audit-records.ts';
import { verifyAudit } from '../src/application/verify-audit.ts';
import { type AuditRecord, linkRecord } from '../src/domain/audit-chain.ts';
import { ada, minutes } from './fixtures.ts';
import { openRegistry, type RegistryFixture } from './registry-fixture.ts';

describe('audit log', () => {
  let registry: RegistryFixture;
  beforeEach(async () => {
    registry = await openRegistry();
  });
  afterEach(() => registry.dispose());

  const append = (context: RegistryFixture['context'], index: number) =>
    appendAuditRecord(
      context,
      `event-${index}`,
      {
        at: minutes(index),
        actor: ada,
        action: 'alias.moved',
        entity: `registry.alias/m${index % 3}`,
        facts: {},
      },
      { consumer: 'registry-audit', entity: `registry.alias/m${index}`, sequence: 1 },
    );
  const appendMany = async (count: number): Promise<void> => {
    const contexts = [registry.context, await registry.another()];
    await Promise.all(
      Array.from({ length: count }, (_, index) => append(contexts[index % 2] ?? registry.context, index)),
    );
  };
  const tamper = (number: number, change: (record: AuditRecord) => AuditRecord | null) =>
    registry.context.collections.audit.update(auditKey(number), (current) =>
      current === undefined ? undefined : { document: change(current.document) },
    );

  test('stays one chain when several processes append at once', async () => {
    await appendMany(60);
    const verdict = await verifyAudit(registry.context);
    expect(verdict).toMatchObject({ intact: true, head: { number: 60 } });
  });

  test('records an event once, however often it is delivered', async () => {
    await appendMany(10);
    await appendMany(10);
    expect(await verifyAudit(registry.context)).toMatchObject({ intact: true, head: { number: 10 } });
  });

  test('shows an edit, a dropped record and a cut tail in the store', async () => {
    await appendMany(10);
    const { head } = await verifyAudit(registry.context);
    await tamper(10, () => null);
    expect((await verifyAudit(registry.context)).intact).toBe(true);
    expect(await verifyAudit(registry.context, head)).toMatchObject({ intact: false, brokenAt: 10 });
    await tamper(7, () => null);
    expect(await verifyAudit(registry.context)).toMatchObject({ intact: false, brokenAt: 7 });
    await tamper(4, (record) => ({ ...record, actor: { name: 'user:mallory', reason: '' } }));
    expect(await verifyAudit(registry.context)).toMatchObject({ intact: false, brokenAt: 4 });
  });

  test('shows a record that was replaced together with its hash', async () => {
    await appendMany(5);
    await tamper(3, (record) => {
      const previous = { number: 2, hash: record.previousHash };
      return linkRecord(previous, { ...record, actor: { name: 'user:mallory', reason: '' } });
    });
    expect(await verifyAudit(registry.context)).toMatchObject({ intact: false, brokenAt: 4 });
  });

  test('is read page by page, from a number on, and by entity', async () => {
    await appendMany(10);
    const first = await listAuditRecords(registry.context, { entity: '', after: 2, limit: 5 });
    expect(first.records.map(({ number }) => number)).toEqual([3, 4, 5, 6, 7]);
    const query = { entity: '', after: 2, limit: 5, cursor: first.nextCursor ?? '' };
    expect((await listAuditRecords(registry.context, query)).records.map(({ number }) => number)).toEqual([
      8, 9, 10,
    ]);
    const ofOne = await listAuditRecords(registry.context, {
      entity: 'registry.alias/m0',
      after: 0,
      limit: 100,
    });
    expect(ofOne.records).toHaveLength(4);
  });

  test('refuses a head that is none', async () => {
    await expect(async () => verifyAudit(registry.context, { number: 1, hash: 'abc' })).rejects.toMatchObject(
      {
        violations: [{ path: 'expectedHead' }],
      },
    );
    await expect(async () =>
      verifyAudit(registry.context, { number: 0, hash: 'a'.repeat(64) }),
    ).rejects.toMatchObject({ violations: [{ path: 'expectedNumber' }] });
  });
});
