import { randomFillSync } from 'node:crypto';
import {
  type Context,
  context,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  TraceFlags,
  trace,
} from '@opentelemetry/api';

/** W3C trace context as headers: `traceparent`, and `tracestate` where there is one. */
export type TraceHeaders = Readonly<Record<string, string>>;

/** Headers that carry the active span to another process; empty when there is none. */
export const activeTraceHeaders = (ctx: Context = context.active()): TraceHeaders => {
  const carrier: Record<string, string> = {};
  propagation.inject(ctx, carrier);
  return carrier;
};

/** The context that headers describe, on top of `base`; malformed headers give `base`. */
export const contextFromHeaders = (headers: TraceHeaders, base: Context = ROOT_CONTEXT): Context =>
  propagation.extract(base, headers);

/** Whether the trace of a span is recorded, as it was decided where the trace began. */
export const isRecorded = ({ traceFlags }: SpanContext): boolean => (traceFlags & TraceFlags.SAMPLED) !== 0;

/** Trace id of the active span as 32 hex digits. */
export const currentTraceId = (): string | undefined => trace.getSpanContext(context.active())?.traceId;

/** Random bytes, drawn and written out many at once: each request needs some. */
const pool = Buffer.alloc(4_096);
let digits = '';
let used = 0;

/** Random hex digits, fewer than the pool has. */
const randomDigits = (count: number): string => {
  if (used + count > digits.length) {
    digits = randomFillSync(pool).toString('hex');
    used = 0;
  }
  used += count;
  return digits.slice(used - count, used);
};

/** A random W3C trace id: 32 hex digits. */
export const newTraceId = (): string => randomDigits(32);

/** A random W3C span id: 16 hex digits. */
export const newSpanId = (): string => randomDigits(16);
