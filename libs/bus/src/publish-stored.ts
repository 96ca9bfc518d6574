import { messageOf } from '@millrace/errors';
import type { PubAck } from '@nats-io/jetstream';
import type { Span } from '@opentelemetry/api';
import type { Bus } from './bus.ts';
import { headersFromRecord, headersOf } from './cloud-events.ts';
import { publishDeadLetter } from './dead-letter-record.ts';
import type { StoredMessage } from './outbox-port.ts';
import { failSpan, startForwarding } from './tracing.ts';

/** The broker's limit holds for headers and body together. */
const headerAllowance = 64 * 1024;

/** Publishes one outbox message and resolves with the broker's ack; with none when it went to the dead letters. */
export const publishStored = async (bus: Bus, message: StoredMessage): Promise<PubAck | undefined> => {
  const { nc, publisher, logger } = bus.internals;
  const record = headersOf(message, bus.service);
  const destination = {
    nc,
    subject: message.subject,
    messageId: message.id,
    bodySize: Buffer.byteLength(message.json),
    attributes: { 'millrace.message.type': message.type },
  };
  const span: Span = startForwarding(destination, record, bus.internals.home);
  try {
    const limit = nc.info?.max_payload ?? Number.POSITIVE_INFINITY;
    if (destination.bodySize > limit - headerAllowance) {
      const reason = `the message has ${destination.bodySize} bytes, more than the broker's ${limit}`;
      logger.error({ subject: message.subject, id: message.id }, `${reason}; it goes to the dead letters`);
      await publishDeadLetter(bus.internals, {
        id: `relay-${message.id}`,
        consumer: `relay-${bus.service}`,
        subject: message.subject,
        reason,
        attempts: 1,
        history: [],
        headers: headersFromRecord(record),
        body: Buffer.from(message.json),
      });
      return undefined;
    }
    const headers = headersFromRecord(record);
    return await publisher.publish(message.subject, message.json, { headers, id: message.id });
  } catch (thrown) {
    failSpan(span, thrown);
    throw new Error(`${message.subject} ${message.id}: ${messageOf(thrown)}`, { cause: thrown });
  } finally {
    span.end();
  }
};
