import { messageOf } from '@millrace/errors';
import type { MsgHdrs } from '@nats-io/transport-node';
import {
  type Attributes,
  type Context,
  context,
  propagation,
  type Span,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';

/**
 * Spans of the OpenTelemetry semantic conventions for messaging. One trace follows a run through every message,
 * so a consumer's span is the child of the producer's and links to it as well.
 */

const tracer = trace.getTracer('@millrace/bus');

const recordGetter: TextMapGetter<Readonly<Record<string, string>>> = {
  get: (carrier, key) => carrier[key],
  keys: (carrier) => Object.keys(carrier),
};

const headerSetter: TextMapSetter<MsgHdrs> = { set: (carrier, key, value) => carrier.set(key, value) };

/** The sender's trace, on top of the receiving service's own context. */
export const contextFrom = (headers: Readonly<Record<string, string>>, home: Context): Context =>
  propagation.extract(home, headers, recordGetter);

/** Writes the active (or given) context's `traceparent` into headers. */
export const injectInto = (headers: MsgHdrs, from: Context = context.active()): void =>
  propagation.inject(from, headers, headerSetter);

export interface Destination {
  readonly subject: string;
  readonly messageId: string;
  readonly bodySize: number;
  /** Of the message, when it is one of the pipeline: run ids and the like. */
  readonly attributes?: Attributes;
}

const attributesOf = ({ subject, messageId, bodySize, attributes }: Destination): Attributes => ({
  'messaging.system': 'nats',
  'messaging.destination.name': subject,
  'messaging.message.id': messageId,
  'messaging.message.body.size': bodySize,
  ...attributes,
});

/** Starts the producer's span under `cause` and puts its context into `headers`. The caller ends it. */
export const startProducing = (destination: Destination, cause: Context, headers: MsgHdrs): Span => {
  const attributes = {
    ...attributesOf(destination),
    'messaging.operation.name': 'publish',
    'messaging.operation.type': 'send',
  };
  const span = tracer.startSpan(
    `publish ${destination.subject}`,
    { kind: SpanKind.PRODUCER, attributes },
    cause,
  );
  injectInto(headers, trace.setSpan(cause, span));
  return span;
};

export const failSpan = (span: Span, thrown: unknown): void => {
  span.setAttribute('error.type', thrown instanceof Error ? thrown.name : typeof thrown);
  span.setStatus({ code: SpanStatusCode.ERROR, message: messageOf(thrown) });
};

/** Runs `work` in a consumer span that is active inside; errors are recorded and thrown on. */
export const consuming = async <T>(
  destination: Destination & { readonly consumer: string; readonly home: Context },
  headers: Readonly<Record<string, string>>,
  work: (span: Span) => Promise<T>,
): Promise<T> => {
  const parent = contextFrom(headers, destination.home);
  const producer = trace.getSpanContext(parent);
  const attributes = {
    ...attributesOf(destination),
    'messaging.operation.name': 'process',
    'messaging.operation.type': 'process',
    'messaging.consumer.group.name': destination.consumer,
  };
  const links = producer === undefined ? [] : [{ context: producer }];
  return tracer.startActiveSpan(
    `process ${destination.subject}`,
    { kind: SpanKind.CONSUMER, attributes, links },
    parent,
    async (span) => {
      try {
        return await work(span);
      } catch (thrown) {
        failSpan(span, thrown);
        throw thrown;
      } finally {
        span.end();
      }
    },
  );
};
