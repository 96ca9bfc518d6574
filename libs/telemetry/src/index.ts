export { createLogger, type Logger } from './logger.ts';
export { count, record } from './metrics/instruments.ts';
export {
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
  metricTable,
} from './metrics/metric-table.ts';
export { metricsPage } from './metrics/metrics-page.ts';
export { type Measurement, observeMetric } from './metrics/observed.ts';
export type { MetricDefinition } from './metrics/table/definition.ts';
export { prometheusText } from './metrics.ts';
export {
  activeTraceHeaders,
  contextFromHeaders,
  currentTraceId,
  isRecorded,
  newSpanId,
  newTraceId,
  type TraceHeaders,
} from './propagation.ts';
export { asHighRate, asUnlimited } from './sampling.ts';
export { conventionOf, ownSpanOf, spanProblems } from './schema/check-span.ts';
export type { OwnAttribute } from './schema/own-attributes.ts';
export { activeService, runAsService } from './service-context.ts';
export { decodeSpanBatch, encodeSpanBatch } from './span-batch.ts';
export type { SpanRecord, SpanSink } from './span-record.ts';
export {
  currentSpan,
  type EmittedSpan,
  emitSpan,
  failSpan,
  inOneSpan,
  inSpan,
  newTrace,
  type SpanDetails,
} from './spans.ts';
export { exportTo, startTelemetry, type Telemetry, type TelemetryOptions } from './telemetry.ts';
