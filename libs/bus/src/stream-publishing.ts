import { randomUUID } from 'node:crypto';
import { messageOf, Unavailable } from '@millrace/errors';
import { isRecorded } from '@millrace/telemetry';
import { type Context, context, type Link, trace } from '@opentelemetry/api';
import type { Bus, BusInternals, PublishedBatch, PublishOptions } from './bus.ts';
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
    const messageHeaders = { ...options.headers };
    const { batch, ...rest } = options;
    const destination = {
      nc: internals.nc,
      subject,
      messageId: id,
      bodySize: bytes.length,
      ...(batch === undefined ? {} : { batchSize: batch.size, links: linksOf(batch) }),
    };
    const cause = batch === undefined ? context.active() : causeOf(batch, internals.home);
    const span = startProducing(destination, cause, messageHeaders);
    try {
      await publish(internals, subject, bytes, { ...rest, id, headers: messageHeaders });
    } catch (thrown) {
      failSpan(span, thrown);
      throw thrown;
    } finally {
      span.end();
    }
  },
  // No span of its own: it would be published, which makes a span, which would be published.
  publishSpans: (bytes, options = {}) => publish(internals, `${subjects.spans}.${service}`, bytes, options),
});

const linksOf = ({ causes }: PublishedBatch): Link[] =>
  causes.filter(isRecorded).map((context) => ({ context }));

/** A batch goes on in the trace of the first of its causes that is recorded, and is not recorded when none is. */
const causeOf = ({ causes }: PublishedBatch, home: Context): Context => {
  const cause = causes.find(isRecorded) ?? causes[0];
  return cause === undefined ? home : trace.setSpanContext(home, cause);
};

const publish = async (
  { publisher }: BusInternals,
  subject: string,
  bytes: Uint8Array,
  { id, headers = {} }: PublishOptions,
): Promise<void> => {
  checkSubject(subject);
  try {
    await publisher.publish(subject, bytes, {
      headers: headersFromRecord(headers),
      ...(id === undefined ? {} : { id }),
    });
  } catch (thrown) {
    throw new Unavailable(`the broker did not take the message for ${subject}: ${messageOf(thrown)}`, {
      cause: thrown,
    });
  }
};
