import { metricsOf, shortBuckets } from './definition.ts';

export const runtimeMetrics = metricsOf({
  millrace_build_info: {
    type: 'gauge',
    unit: '',
    labels: ['node_version'],
    help: '1; the labels tell what runs.',
  },
  millrace_service_ready: {
    type: 'gauge',
    unit: '',
    labels: ['service'],
    help: '1 while the service can do its work, as `/health/ready` says.',
  },
  millrace_process_start_time_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'When the process started, in seconds since 1970.',
  },
  millrace_process_cpu_seconds_total: {
    type: 'counter',
    unit: 'seconds',
    labels: [],
    help: 'Processor time that the process has used.',
  },
  millrace_process_resident_memory_bytes: {
    type: 'gauge',
    unit: 'bytes',
    labels: [],
    help: 'Memory that the process holds.',
  },
  millrace_process_heap_used_bytes: {
    type: 'gauge',
    unit: 'bytes',
    labels: [],
    help: 'JavaScript objects that the process holds.',
  },
  millrace_process_open_handles: {
    type: 'gauge',
    unit: '',
    labels: [],
    help: 'Sockets, timers and other resources that keep the event loop alive.',
  },
  millrace_process_event_loop_delay_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: ['quantile'],
    help: 'How late the event loop was since the measurement before, by quantile (0.5, 0.99, 1).',
  },
  millrace_process_event_loop_utilization_ratio: {
    type: 'gauge',
    unit: '',
    labels: [],
    help: 'Share of the time since the measurement before that the event loop was busy; 0 to 1.',
  },
  millrace_process_gc_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['kind'],
    help: 'Pauses for garbage collection: minor, major, incremental or weakcb.',
    buckets: shortBuckets,
  },
  millrace_certificate_expiry_timestamp_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: ['service'],
    help: "When the service's own certificate ends, in seconds since 1970.",
    only: 'with certificates',
  },
  millrace_trace_spans_exported_total: {
    type: 'counter',
    unit: '',
    labels: [],
    help: 'Spans that the OTLP backend has taken.',
    only: 'with an OTLP endpoint',
  },
  millrace_trace_spans_lost_total: {
    type: 'counter',
    unit: '',
    labels: [],
    help: 'Spans that could not be exported to the OTLP backend.',
    only: 'with an OTLP endpoint that fails',
  },
});
