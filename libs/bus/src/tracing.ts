import { asMillraceError, messageOf } from '@millrace/errors';
import { activeTraceHeaders, contextFromHeaders } from '@millrace/telemetry';
import type { NatsConnection } from '@nats-io/transport-node';
import {
  type Attributes,
  type Context,
  context,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { ATTR_ERROR_TYPE, ATTR_SERVER_ADDRESS, ATTR_SERVER_PORT } from '@opentelemetry/semantic-conventions';
import {
  ATTR_MESSAGING_BATCH_MESSAGE_COUNT,
  ATTR_MESSAGING_CONSUMER_GROUP_NAME,
  ATTR_MESSAGING_DESTINATION_NAME,
  ATTR_MESSAGING_MESSAGE_BODY_SIZE,
  ATTR_MESSAGING_MESSAGE_ID,
  ATTR_MESSAGING_OPERATION_NAME,
  ATTR_MESSAGING_OPERATION_TYPE,
  ATTR_MESSAGING_SYSTEM_NAME,
  MESSAGING_OPERATION_TYPE_VALUE_PROCESS,
  MESSAGING_OPERATION_TYPE_VALUE_SEND,
} from '@opentelemetry/semantic-conventions/incubating';

import type { Outcome } from './port.ts';

/**
 * Spans of the OpenTelemetry semantic conventions for messaging. One trace follows a run through every message,
 * so a consumer's span is the child of the producer's and links to it as well.
 */

const tracer = trace.getTracer('@millrace/bus');

/** W3C trace context, version 00, whose flags say that it is not sampled. */
const unsampled = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f][02468ace]$/;

/** The trace that headers name, when it is one that its beginning decided not to record. */
const unrecordedTrace = ({ traceparent }: Readonly<Record<string, string>>): SpanContext | undefined => {
  const [, traceId, spanId] = (traceparent && unsampled.exec(traceparent)) || [];
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, traceFlags: TraceFlags.NONE, isRemote: true };
};

/** Stands for the spans of what is not recorded. */
const noSpan = trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

export interface Destination {
  readonly nc: NatsConnection;
  readonly subject: string;
  readonly messageId: string;
  readonly bodySize: number;
  /** Of the message, when it is one of the pipeline: run ids and the like. */
  readonly attributes?: Attributes;
  /** Parts of a batch that is one message. */
  readonly batchSize?: number;
  /** What the message is made of, where it has more than one cause. */
  readonly links?: readonly Link[];
}

/** Address of the server that a connection talks to; empty while it talks to none. */
const serverOf = (nc: NatsConnection): Attributes => {
  const [, address, port] = /^(.*):(\d+)$/.exec(nc.isClosed() ? '' : nc.getServer()) ?? [];
  return address === undefined ? {} : { [ATTR_SERVER_ADDRESS]: address, [ATTR_SERVER_PORT]: Number(port) };
};

const attributesOf = ({ nc, subject, messageId, bodySize, batchSize, attributes }: Destination) => ({
  [ATTR_MESSAGING_SYSTEM_NAME]: 'nats',
  [ATTR_MESSAGING_DESTINATION_NAME]: subject,
  [ATTR_MESSAGING_MESSAGE_ID]: messageId,
  [ATTR_MESSAGING_MESSAGE_BODY_SIZE]: bodySize,
  ...(batchSize === undefined ? {} : { [ATTR_MESSAGING_BATCH_MESSAGE_COUNT]: batchSize }),
  ...serverOf(nc),
  ...attributes,
});

/**
 * Starts the span of a message that names its cause in its headers, or has none and begins a trace; puts its context into
 * `headers`. The caller ends it. One that belongs to a trace which is not recorded goes as it is.
 */
export const startForwarding = (
  destination: Destination,
  headers: Record<string, string>,
  home: Context,
): Span =>
  unrecordedTrace(headers) === undefined
    ? startProducing(destination, contextFromHeaders(headers, home), headers)
    : noSpan;

/** Starts the producer's span under `cause` and puts its context into `headers`. The caller ends it. */
export const startProducing = (
  destination: Destination,
  cause: Context,
  headers: Record<string, string>,
): Span => {
  const links = [...(destination.links ?? [])];
  const span = tracer.startSpan(`publish ${destination.subject}`, { kind: SpanKind.PRODUCER, links }, cause);
  // Most messages of a busy second are not recorded, and their attributes would be for nobody.
  if (span.isRecording()) {
    span.setAttributes({
      ...attributesOf(destination),
      [ATTR_MESSAGING_OPERATION_NAME]: 'publish',
      [ATTR_MESSAGING_OPERATION_TYPE]: MESSAGING_OPERATION_TYPE_VALUE_SEND,
    });
  }
  Object.assign(headers, activeTraceHeaders(trace.setSpan(cause, span)));
  return span;
};

export const failSpan = (span: Span, thrown: unknown): void => {
  span.setAttribute(ATTR_ERROR_TYPE, asMillraceError(thrown).code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(thrown).slice(0, 500) });
};

/** What a handler answered counts as a failure of its span when the message was not handled. */
export const recordOutcome = (span: Span, outcome: Outcome): void => {
  if (outcome.kind !== 'reject' && outcome.kind !== 'retry') return;
  span.setAttribute(ATTR_ERROR_TYPE, outcome.kind);
  span.setStatus({ code: SpanStatusCode.ERROR, message: outcome.reason.slice(0, 500) });
};

/**
 * Runs `work` in a consumer span that is active inside; errors and outcomes that leave the message unhandled are
 * recorded.
 */
export const consuming = async (
  destination: Destination & { readonly consumer: string; readonly home: Context },
  headers: Readonly<Record<string, string>>,
  work: () => Promise<Outcome>,
): Promise<Outcome> => {
  const unrecorded = unrecordedTrace(headers);
  if (unrecorded !== undefined) return context.with(trace.setSpanContext(destination.home, unrecorded), work);
  const parent = contextFromHeaders(headers, destination.home);
  const producer = trace.getSpanContext(parent);
  const links = producer === undefined ? [] : [{ context: producer }];
  return tracer.startActiveSpan(
    `process ${destination.subject}`,
    { kind: SpanKind.CONSUMER, links },
    parent,
    async (span) => {
      if (span.isRecording()) {
        span.setAttributes({
          ...attributesOf(destination),
          [ATTR_MESSAGING_OPERATION_NAME]: 'process',
          [ATTR_MESSAGING_OPERATION_TYPE]: MESSAGING_OPERATION_TYPE_VALUE_PROCESS,
          [ATTR_MESSAGING_CONSUMER_GROUP_NAME]: destination.consumer,
        });
      }
      try {
        const outcome = await work();
        recordOutcome(span, outcome);
        return outcome;
      } catch (thrown) {
        failSpan(span, thrown);
        throw thrown;
      } finally {
        span.end();
      }
    },
  );
};
