import type { MillraceClient } from '@millrace/client';
import type { AuditRecord } from '@millrace/contracts/registry';

const limit = 1_000;

/** The whole audit log. */
export const auditRecords = async ({ registry }: MillraceClient): Promise<readonly AuditRecord[]> => {
  const all: AuditRecord[] = [];
  for (;;) {
    const after = all.at(-1)?.number ?? 0;
    const { records } = await registry.listAuditRecords({ after, page: { limit } });
    if (records.length === 0) return all;
    all.push(...records);
  }
};
