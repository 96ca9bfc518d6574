import { Invalid } from '@millrace/errors';
import type { Filter } from '@millrace/store';
import type { AuditRecord } from '../domain/audit-chain.ts';
import type { RegistryContext } from './context.ts';

export interface AuditQuery {
  /** Empty: every entity. */
  readonly entity: string;
  /** Only records after this number. */
  readonly after: number;
  readonly limit: number;
  readonly cursor?: string;
}

/** Records of the audit log, oldest first. @throws Invalid */
export const listAuditRecords = async (
  { collections }: RegistryContext,
  { entity, after, limit, cursor }: AuditQuery,
): Promise<{ readonly records: readonly AuditRecord[]; readonly nextCursor?: string }> => {
  if (!Number.isInteger(after) || after < 0) throw Invalid.field('after', 'must be a whole number from 0');
  const conditions: Filter[] = [{ field: 'number', op: 'gt', value: after }];
  if (entity !== '') conditions.push({ field: 'entity', op: 'eq', value: entity });
  const page = await collections.audit.find({
    filter: { and: conditions },
    sort: { field: 'number', direction: 'asc' },
    limit,
    ...(cursor === undefined ? {} : { cursor }),
  });
  const records = page.items.map(({ document }) => document);
  return page.nextCursor === undefined ? { records } : { records, nextCursor: page.nextCursor };
};
