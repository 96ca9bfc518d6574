import { describe, expect, test } from 'vitest';
import { ada, minutes } from '../../test/fixtures.ts';
import { type AuditHead, type AuditRecord, emptyHead, linkRecord, verifyAuditChain } from './audit-chain.ts';
import { canonicalJson } from './canonical-json.ts';

const chainOf = (length: number): AuditRecord[] => {
  const records: AuditRecord[] = [];
  let head = emptyHead;
  for (let index = 1; index <= length; index += 1) {
    const entry = {
      at: minutes(index),
      actor: ada,
      action: 'alias.moved',
      entity: 'registry.alias/flights',
      facts: { toVersion: index, alias: 'production' },
    };
    const record = linkRecord(head, entry);
    records.push(record);
    head = { number: record.number, hash: record.hash };
  }
  return records;
};

const headOf = (records: readonly AuditRecord[]): AuditHead => {
  const last = records.at(-1);
  return last === undefined ? emptyHead : { number: last.number, hash: last.hash };
};

/** What somebody with write access could do: change the chain and make every later hash anew. */
const relink = (records: readonly AuditRecord[]): AuditRecord[] => {
  let head = emptyHead;
  return records.map((record) => {
    const linked = linkRecord(head, record);
    head = { number: linked.number, hash: linked.hash };
    return linked;
  });
};

describe('audit chain', () => {
  const records = chainOf(9);
  const at = (number: number): AuditRecord => records[number - 1] as AuditRecord;
  const noted = headOf(records);

  test('is intact as it was written, empty too', async () => {
    expect(await verifyAuditChain(records, noted)).toEqual({ intact: true, head: noted });
    expect(await verifyAuditChain([])).toEqual({ intact: true, head: emptyHead });
  });

  test('survives an export and import as JSON, whatever the order of its members', async () => {
    const exported = JSON.parse(JSON.stringify(records)) as AuditRecord[];
    const reordered = exported.map(
      (record) => Object.fromEntries(Object.entries(record).reverse()) as unknown as AuditRecord,
    );
    expect((await verifyAuditChain(reordered, noted)).intact).toBe(true);
  });

  const edits: Record<string, Partial<AuditRecord>> = {
    time: { at: minutes(99) },
    actor: { actor: { name: 'user:mallory', reason: '' } },
    reason: { actor: { ...ada, reason: 'was told to' } },
    action: { action: 'alias.removed' },
    entity: { entity: 'registry.alias/taxis' },
    fact: { facts: { toVersion: 4, alias: 'candidate' } },
    'added fact': { facts: { toVersion: 5, alias: 'production', extra: null } },
    hash: { hash: 'f'.repeat(64) },
    'previous hash': { previousHash: 'f'.repeat(64) },
  };
  for (const [what, edit] of Object.entries(edits)) {
    test(`finds a changed ${what}`, async () => {
      const changed = records.with(4, { ...at(5), ...edit });
      expect(await verifyAuditChain(changed)).toMatchObject({ intact: false, brokenAt: 5 });
    });
  }

  test('finds a dropped record', async () => {
    expect(await verifyAuditChain(records.toSpliced(4, 1))).toMatchObject({ intact: false, brokenAt: 5 });
    expect(await verifyAuditChain(records.slice(1))).toMatchObject({ intact: false, brokenAt: 1 });
  });

  test('finds records that changed places', async () => {
    const swapped = records.with(3, at(5)).with(4, at(4));
    expect(await verifyAuditChain(swapped)).toMatchObject({ intact: false, brokenAt: 4 });
    const renumbered = records.with(3, { ...at(5), number: 4 }).with(4, { ...at(4), number: 5 });
    expect(await verifyAuditChain(renumbered)).toMatchObject({ intact: false, brokenAt: 4 });
  });

  test('finds an inserted record', async () => {
    const inserted = records.toSpliced(4, 0, { ...at(4), number: 5 });
    expect(await verifyAuditChain(inserted)).toMatchObject({ intact: false, brokenAt: 5 });
  });

  test('finds a cut tail only by a head that was noted', async () => {
    const cut = records.slice(0, 6);
    expect((await verifyAuditChain(cut)).intact).toBe(true);
    expect(await verifyAuditChain(cut, noted)).toMatchObject({ intact: false, brokenAt: 7 });
    expect((await verifyAuditChain(records, headOf(cut))).intact).toBe(true);
  });

  test('finds a chain made anew only by a head that was noted', async () => {
    const forged = relink(records.with(2, { ...at(3), actor: { name: 'user:mallory', reason: '' } }));
    expect((await verifyAuditChain(forged)).intact).toBe(true);
    expect(await verifyAuditChain(forged, noted)).toMatchObject({ intact: false, brokenAt: 9 });
  });
});

test('canonical JSON sorts members by code unit and writes no white space', () => {
  const value = { b: [1, 'é', null, true, { z: 1, a: 2 }], a: 1e21, '': 0.1, '\u20ac': 'x', A: '"\n' };
  expect(canonicalJson(value)).toBe(
    '{"":0.1,"A":"\\"\\n","a":1e+21,"b":[1,"é",null,true,{"a":2,"z":1}],"€":"x"}',
  );
});
