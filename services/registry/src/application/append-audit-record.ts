import { Conflict, Unavailable } from '@millrace/errors';
import type { InboxPosition } from '@millrace/store';
import { type AuditEntry, type AuditHead, emptyHead, linkRecord } from '../domain/audit-chain.ts';
import type { RegistryContext } from './context.ts';

export const auditKey = (number: number): string => String(number).padStart(12, '0');

/** Lost races against other processes before giving up; in this process appends stand in line. */
const maxAttempts = 100;

/**
 * Appends what an event says to the one chain, once per event. The next place is taken by an insert that fails
 * when somebody else took it, so the chain never forks.
 */
export const appendAuditRecord = (
  context: RegistryContext,
  eventId: string,
  entry: AuditEntry,
  handled: InboxPosition,
): Promise<void> =>
  context.queues.run('audit', async () => {
    const withId = { ...entry, facts: { ...entry.facts, eventId: eventId } };
    for (let attempt = 0; attempt < maxAttempts; attempt += 1) {
      if (await isRecorded(context, eventId)) return;
      const record = linkRecord(await readAuditHead(context), withId);
      try {
        await context.collections.audit.commit({
          key: auditKey(record.number),
          expected: 0,
          document: record,
          handled,
        });
        return;
      } catch (error) {
        if (!(error instanceof Conflict)) throw error;
      }
    }
    throw new Unavailable('too many appends to the audit log at once');
  });

const isRecorded = async ({ collections }: RegistryContext, eventId: string): Promise<boolean> =>
  (await collections.audit.count({ field: 'facts.eventId', op: 'eq', value: eventId })) > 0;

/** The last record's place in the chain. */
export const readAuditHead = async ({ collections }: RegistryContext): Promise<AuditHead> => {
  const { items } = await collections.audit.find({ sort: { field: 'number', direction: 'desc' }, limit: 1 });
  const last = items[0]?.document;
  return last === undefined ? emptyHead : { number: last.number, hash: last.hash };
};
