import { Invalid } from '@millrace/errors';
import {
  type AuditHead,
  type AuditRecord,
  type AuditVerdict,
  verifyAuditChain,
} from '../domain/audit-chain.ts';
import type { RegistryContext } from './context.ts';

/** Checks the whole chain, against a head that was noted outside where there is one. @throws Invalid */
export const verifyAudit = (context: RegistryContext, noted?: AuditHead): Promise<AuditVerdict> => {
  if (noted !== undefined && !/^[0-9a-f]{64}$/.test(noted.hash)) {
    throw Invalid.field('expectedHead', 'must be 64 lower-case hexadecimal digits');
  }
  if (noted !== undefined && (!Number.isInteger(noted.number) || noted.number < 1)) {
    throw Invalid.field('expectedNumber', 'must be the number of the record with that hash, from 1');
  }
  return verifyAuditChain(inOrder(context), noted);
};

async function* inOrder({ collections }: RegistryContext): AsyncGenerator<AuditRecord> {
  let cursor: string | undefined;
  do {
    const page = await collections.audit.find({ limit: 1_000, ...(cursor === undefined ? {} : { cursor }) });
    for (const { document } of page.items) yield document;
    cursor = page.nextCursor;
  } while (cursor !== undefined);
}
