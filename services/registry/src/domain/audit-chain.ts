import { createHash } from 'node:crypto';
import type { Json } from '@millrace/store';
import type { Actor } from './actor.ts';
import { canonicalJson } from './canonical-json.ts';

/** What happened, before it has its place in the chain. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  readonly at: string;
  readonly actor: Actor;
  /** `model_version.approved` */
  readonly action: string;
  /** `registry.model_version/flights/3` */
  readonly entity: string;
  readonly facts: Readonly<Record<string, Json>>;
}

/** An entry in its place. */
export interface AuditRecord extends AuditEntry {
  /** 1, 2, 3 … */
  readonly number: number;
  /** `hash` of the record before; 64 zeros for the first. */
  readonly previousHash: string;
  /** sha256, hex, over `previousHash` and the canonical JSON of number, at, actor, action, entity, facts. */
  readonly hash: string;
}

/** The last record's place: noted outside the store, it proves that nothing was cut off. */
export interface AuditHead {
  readonly number: number;
  readonly hash: string;
}

export const emptyHead: AuditHead = { number: 0, hash: '0'.repeat(64) };

const hashOf = (
  { number, at, actor, action, entity, facts }: Omit<AuditRecord, 'hash'>,
  previousHash: string,
) =>
  createHash('sha256')
    .update(previousHash)
    .update(
      canonicalJson({ number, at, actor: { name: actor.name, reason: actor.reason }, action, entity, facts }),
    )
    .digest('hex');

/** Puts an entry behind the head. */
export const linkRecord = (head: AuditHead, entry: AuditEntry): AuditRecord => {
  const { at, actor, action, entity, facts } = entry;
  const record = { number: head.number + 1, at, actor, action, entity, facts, previousHash: head.hash };
  return { ...record, hash: hashOf(record, head.hash) };
};

export type AuditVerdict =
  | { readonly intact: true; readonly head: AuditHead }
  /** `brokenAt`: number of the first record that does not fit; `head`: the last one that did. */
  | { readonly intact: false; readonly head: AuditHead; readonly brokenAt: number; readonly reason: string };

const faultOf = (head: AuditHead, record: AuditRecord): string | undefined => {
  if (record.number !== head.number + 1) {
    return `record ${head.number + 1} is missing: record ${record.number} stands in its place`;
  }
  if (record.previousHash !== head.hash) return 'it does not continue the record before';
  return record.hash === hashOf(record, head.hash)
    ? undefined
    : 'its content is not what its hash was made of';
};

/**
 * Checks a whole chain from its first record on, in order. Finds an edited, dropped, inserted or moved record;
 * with a head noted earlier also a chain that was cut short or made anew.
 */
export const verifyAuditChain = async (
  records: Iterable<AuditRecord> | AsyncIterable<AuditRecord>,
  noted?: AuditHead,
): Promise<AuditVerdict> => {
  let head = emptyHead;
  for await (const record of records) {
    const reason = faultOf(head, record);
    if (reason !== undefined) return { intact: false, head, brokenAt: head.number + 1, reason };
    head = { number: record.number, hash: record.hash };
    if (noted?.number === head.number && noted.hash !== head.hash) {
      return {
        intact: false,
        head,
        brokenAt: head.number,
        reason: 'it is not the record that was noted as head',
      };
    }
  }
  if (noted !== undefined && noted.number > head.number) {
    const reason = `the chain ends at record ${head.number}, before the noted head ${noted.number}`;
    return { intact: false, head, brokenAt: head.number + 1, reason };
  }
  return { intact: true, head };
};
