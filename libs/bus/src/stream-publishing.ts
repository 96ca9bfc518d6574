import { randomUUID } from 'node:crypto';
import { messageOf, Unavailable } from '@millrace/errors';
import { context } from '@opentelemetry/api';
import type { Bus, BusInternals, PublishOptions } from './bus.ts';
import { headersFromRecord } from './cloud-events.ts';
import { checkSubject, subjects } from './subjects.ts';
import { failSpan, startProducing } from './tracing.ts';

/** Publishing of records (not events): straight to their bounded streams, acknowledged, without an outbox. */
export const streamPublishing = (
  service: string,
  internals: BusInternals,
): Pick<Bus, 'publishInference' | 'publishSpans'> => ({
  publishInference: async (subject, bytes, options = {}) => {
    const id = options.id ?? randomUUID();
    const messageHeaders = headersFromRecord(options.headers ?? {});
    const destination = { subject, messageId: id, bodySize: bytes.length };
    const span = startProducing(destination, context.active(), messageHeaders);
    try {
      await publish(internals, subject, bytes, { ...options, id }, messageHeaders);
    } catch (thrown) {
      failSpan(span, thrown);
      throw thrown;
    } finally {
      span.end();
    }
  },
  // No span of its own: it would be published, which makes a span, which would be published.
  publishSpans: (bytes, options = {}) =>
    publish(
      internals,
      `${subjects.spans}.${service}`,
      bytes,
      options,
      headersFromRecord(options.headers ?? {}),
    ),
});

const publish = async (
  { publisher }: BusInternals,
  subject: string,
  bytes: Uint8Array,
  { id }: PublishOptions,
  messageHeaders: ReturnType<typeof headersFromRecord>,
): Promise<void> => {
  checkSubject(subject);
  try {
    await publisher.publish(subject, bytes, {
      headers: messageHeaders,
      ...(id === undefined ? {} : { id }),
    });
  } catch (thrown) {
    throw new Unavailable(`the broker did not take the message for ${subject}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
};
