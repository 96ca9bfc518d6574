import { setTimeout as sleep } from 'node:timers/promises';
import type { InboxPort } from '@millrace/bus';
import type { Logger } from '@millrace/telemetry';
import type { Admin, Kafka } from 'kafkajs';
import { findInKafka } from './find-in-kafka.ts';
import { type Journal, type JournalEntry, withForwarded } from './journal.ts';

export interface Recovery {
  readonly kafka: Kafka;
  readonly admin: Admin;
  readonly journal: Journal;
  readonly inbox: InboxPort;
  /** Name of the bus consumer whose positions count. */
  readonly consumer: string;
  /** For reading back; unique. */
  readonly groupId: string;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * Milliseconds that Kafka gets to take up what a bridge sent right before it died: its request may lie in a broker's
 * queue when we already ask.
 */
const settleMs = 1_000;

/**
 * Settles the batch that the holder before us left open: what is in Kafka counts as handled, the rest will be sent
 * again. Safe to repeat. Throws while Kafka or the store does not answer.
 */
export const recover = async (recovery: Recovery): Promise<void> => {
  const { kafka, admin, journal, inbox, consumer, groupId, log, now } = recovery;
  const { entries, from, topics } = journal.document;
  const positions = await Promise.all(entries.map(({ entity }) => inbox.position(consumer, entity)));
  const isHandled = ({ sequence }: JournalEntry, index: number) => (positions[index] ?? 0) >= sequence;
  const open = entries.filter((entry, index) => !isHandled(entry, index));
  let present: readonly JournalEntry[] = [];
  if (open.length > 0) {
    await sleep(settleMs);
    const found = await findInKafka(kafka, admin, open, from, groupId);
    present = open.filter(({ id }) => found.has(id));
    await Promise.all(present.map(({ entity, sequence }) => inbox.advance({ consumer, entity, sequence })));
    log.info({ open: open.length, present: present.length }, 'settled what was on its way to Kafka');
  }
  if (entries.length === 0) return;
  const forwarded = [...entries.filter(isHandled), ...present];
  await journal.write({
    entries: [],
    from: {},
    topics: withForwarded(topics, forwarded, new Date(now()).toISOString()),
  });
};
