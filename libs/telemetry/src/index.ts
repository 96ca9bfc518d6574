export { createLogger, type Logger } from './logger.ts';
export { prometheusText } from './metrics.ts';
export {
  activeTraceHeaders,
  contextFromHeaders,
  currentTraceId,
  newSpanId,
  newTraceId,
  type TraceHeaders,
} from './propagation.ts';
export { activeService, runAsService } from './service-context.ts';
export type { SpanRecord, SpanSink } from './span-record.ts';
export { type EmittedSpan, emitSpan, inOneSpan, inSpan, type SpanDetails } from './spans.ts';
export { exportTo, startTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts';
