import {
  type Attributes,
  type Context,
  context,
  type Link,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  trace,
} from '@opentelemetry/api';
import { suppressTracing } from '@opentelemetry/core';
import type { IdGenerator } from '@opentelemetry/sdk-trace';
import { ATTR_ERROR_TYPE } from '@opentelemetry/semantic-conventions';
import { isRecorded, newSpanId, newTraceId } from './propagation.ts';
import { asUnlimited } from './sampling.ts';

let forced: { readonly traceId: string; readonly spanId: string } | undefined;

/** Random ids, except while `emitSpan` starts a span whose ids are already known. */
export class ForcedIdGenerator implements IdGenerator {
  generateTraceId = (): string => forced?.traceId ?? newTraceId();
  generateSpanId = (): string => forced?.spanId ?? newSpanId();
}

export interface SpanDetails {
  readonly kind?: SpanKind;
  readonly attributes?: Attributes;
  readonly links?: readonly Link[];
  /** Parent; default the active context. */
  readonly context?: Context;
  /** What the span says of an error, where a convention has rules of its own; the default fails it. */
  readonly onError?: (span: Span, thrown: unknown) => void;
}

/** Asked for each time: a tracer that was kept stays with the tracing of its time when a process starts it anew. */
const tracer = () => trace.getTracer('@millrace/telemetry');

/** Runs `work` in a new active span, which records how it failed. Ends with it. */
export const inSpan = async <T>(
  name: string,
  details: SpanDetails,
  work: (span: Span) => Promise<T>,
): Promise<T> => {
  const parent = details.context ?? context.active();
  const span = tracer().startSpan(
    name,
    {
      kind: details.kind ?? SpanKind.INTERNAL,
      ...(details.attributes === undefined ? {} : { attributes: details.attributes }),
      ...(details.links === undefined ? {} : { links: [...details.links] }),
    },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), () => work(span));
  } catch (thrown) {
    (details.onError ?? recordFailure)(span, thrown);
    throw thrown;
  } finally {
    span.end();
  }
};

/** Runs many small operations as one span: the spans that each would make are left out. */
export const inOneSpan = <T>(name: string, details: SpanDetails, work: () => Promise<T>): Promise<T> =>
  inSpan(name, details, () => context.with(suppressTracing(context.active()), work));

/** Longest description of an error; what follows is rarely for a trace. Characters. */
const maxDescription = 500;

/** Marks a span as failed, with the low-cardinality type of its error and a message. */
export const failSpan = (span: Span, errorType: string, message: string): void => {
  span.setAttribute(ATTR_ERROR_TYPE, errorType);
  span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, maxDescription) });
};

const recordFailure = (span: Span, thrown: unknown): void => {
  const code = (thrown as { code?: unknown } | null)?.code;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  failSpan(span, typeof code === 'string' ? code : 'internal', message);
};

/** The span that is active, or of which the caller told, and whether its trace is recorded. */
export const currentSpan = ():
  | { readonly traceId: string; readonly spanId: string; readonly sampled: boolean }
  | undefined => {
  const span = trace.getSpanContext(context.active());
  if (span === undefined) return undefined;
  const { traceId, spanId } = span;
  return { traceId, spanId, sampled: isRecorded(span) };
};

/** A new trace that no request began, and whether it is to be recorded. No limit of new traces holds for it. */
export const newTrace = (): { readonly traceId: string; readonly sampled: boolean } => {
  const traceId = newTraceId();
  forced = { traceId, spanId: newSpanId() };
  try {
    const ctx = asUnlimited(context.active());
    const span = tracer().startSpan('new trace', { root: true }, ctx);
    return { traceId, sampled: isRecorded(span.spanContext()) };
  } finally {
    forced = undefined;
  }
};

/** A span that is known only once it is over, perhaps by another process than the one that began it. */
export interface EmittedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Absent for the root of a trace. */
  readonly parentSpanId?: string;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly start: number;
  readonly end: number;
  readonly attributes?: Attributes;
  readonly error?: string;
  /** Low-cardinality type of the error; default `internal`. */
  readonly errorType?: string;
  /** Whether the trace is recorded, as decided where it began; default true. */
  readonly sampled?: boolean;
}

/** Emits a finished span with ids chosen beforehand, so that its children could be made before it. */
export const emitSpan = (emitted: EmittedSpan): void => {
  const base = context.active();
  const parent =
    emitted.parentSpanId === undefined
      ? trace.deleteSpan(base ?? ROOT_CONTEXT)
      : trace.setSpanContext(base, {
          traceId: emitted.traceId,
          spanId: emitted.parentSpanId,
          traceFlags: emitted.sampled === false ? TraceFlags.NONE : TraceFlags.SAMPLED,
          isRemote: true,
        });
  forced = { traceId: emitted.traceId, spanId: emitted.spanId };
  try {
    const span = tracer().startSpan(
      emitted.name,
      {
        startTime: emitted.start,
        ...(emitted.attributes === undefined ? {} : { attributes: emitted.attributes }),
      },
      parent,
    );
    if (emitted.error !== undefined) failSpan(span, emitted.errorType ?? 'internal', emitted.error);
    span.end(emitted.end);
  } finally {
    forced = undefined;
  }
};
