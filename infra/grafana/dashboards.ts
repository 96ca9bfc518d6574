import type { Dashboard, Panel } from './dashboard.ts';

type Unit = Panel['unit'];

const panel = (title: string, unit: Unit, ...queries: readonly (readonly [string, string])[]): Panel => ({
  title,
  unit,
  queries: queries.map(([expr, legend]) => ({ expr, legend })),
});

const stat = (title: string, unit: Unit, expr: string): Panel => ({
  ...panel(title, unit, [expr, '']),
  type: 'stat',
});

const rate = (metric: string, by: string, filter = ''): string =>
  `sum by (${by}) (rate(${metric}${filter}[$__rate_interval]))`;

const increase = (metric: string, by: string, filter = ''): string =>
  `sum by (${by}) (increase(${metric}${filter}[1h]))`;

const quantile = (q: number, metric: string, by: string, filter = ''): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (rate(${metric}_bucket${filter}[$__rate_interval])))`;

const ratio = (part: string, whole: string): string => `${part} / ${whole}`;

const lifecycle: Dashboard = {
  name: 'lifecycle',
  title: 'lifecycle',
  panels: [
    stat('Runs running', 'short', 'sum(millrace_pipeline_runs_open{state="running"})'),
    stat('Runs waiting for a person', 'short', 'sum(millrace_pipeline_runs_open{state="waiting"})'),
    stat('Oldest running step', 's', 'max(millrace_pipeline_oldest_step_age_seconds)'),
    panel(
      'Runs per hour',
      'short',
      ['sum(increase(millrace_pipeline_runs_submitted_total[1h]))', 'submitted'],
      [increase('millrace_pipeline_runs_finished_total', 'outcome'), '{{outcome}}'],
    ),
    panel('Duration of runs (median)', 's', [
      quantile(0.5, 'millrace_pipeline_run_duration_seconds', 'outcome'),
      '{{outcome}}',
    ]),
    panel('Training runs per hour', 'short', [
      increase('millrace_training_runs_finished_total', 'outcome'),
      '{{outcome}}',
    ]),
    panel('Steps per hour', 'short', [
      increase('millrace_steps_finished_total', 'step, outcome'),
      '{{step}} {{outcome}}',
    ]),
    panel('Work of a step (95 %)', 's', [
      quantile(0.95, 'millrace_step_duration_seconds', 'step'),
      '{{step}}',
    ]),
    panel('Steps answered from the cache', 'percentunit', [
      ratio(
        increase('millrace_steps_finished_total', 'step', '{outcome="cached"}'),
        increase('millrace_steps_finished_total', 'step', '{outcome=~"cached|succeeded"}'),
      ),
      '{{step}}',
    ]),
    panel('Model versions per hour', 'short', [
      increase('millrace_model_versions_total', 'change'),
      '{{change}}',
    ]),
    panel(
      'Data and evaluations per hour',
      'short',
      [increase('millrace_dataset_versions_total', 'outcome'), 'data {{outcome}}'],
      [increase('millrace_evaluation_reports_total', 'outcome'), 'evaluation {{outcome}}'],
    ),
    panel(
      'Deployments per hour',
      'short',
      [increase('millrace_deployments_total', 'endpoint, change'), '{{endpoint}} {{change}}'],
      [increase('millrace_rollbacks_total', 'endpoint, cause'), '{{endpoint}} rolled back by {{cause}}'],
    ),
  ],
};

const busAndStores: Dashboard = {
  name: 'bus-and-stores',
  title: 'bus and stores',
  panels: [
    panel('Lag of consumers', 'short', ['max by (consumer) (millrace_bus_consumer_pending)', '{{consumer}}']),
    panel(
      'Delivered and not settled',
      'short',
      ['max by (consumer) (millrace_bus_consumer_unacknowledged)', '{{consumer}}'],
      ['max by (consumer) (millrace_bus_consumer_redelivered)', '{{consumer}} again'],
    ),
    panel(
      'Without progress',
      's',
      ['max by (consumer) (millrace_bus_consumer_stalled_seconds)', '{{consumer}}'],
      ['max by (consumer) (millrace_bus_consumer_stuck) * 60', '{{consumer}} is stuck'],
    ),
    panel('Redeliveries', 'ops', [rate('millrace_bus_redeliveries_total', 'consumer'), '{{consumer}}']),
    panel(
      'Gaps per hour',
      'short',
      [increase('millrace_bus_gaps_total', 'consumer'), '{{consumer}} gaps'],
      [increase('millrace_bus_events_refilled_total', 'consumer'), '{{consumer}} refilled'],
      [increase('millrace_bus_events_skipped_total', 'consumer'), '{{consumer}} skipped'],
      [increase('millrace_bus_events_duplicate_total', 'consumer'), '{{consumer}} duplicates'],
    ),
    panel('Dead letters', 'short', ['sum by (consumer) (millrace_bus_dead_letters_total)', '{{consumer}}']),
    panel('Streams', 'bytes', ['max by (stream) (millrace_bus_stream_size_bytes)', '{{stream}}']),
    panel(
      'Messages in streams',
      'short',
      ['max by (stream) (millrace_bus_stream_messages)', '{{stream}}'],
      ['max by (stream) (millrace_bus_stream_lost_messages)', '{{stream}} lost'],
    ),
    panel('Events published', 'ops', [rate('millrace_events_published_total', 'service'), '{{service}}']),
    panel(
      'Outbox',
      'short',
      ['max by (service) (millrace_outbox_pending)', '{{service}}'],
      [increase('millrace_outbox_publish_failures_total', 'service'), '{{service}} failures'],
    ),
    panel('Oldest message in the outbox', 's', [
      'max by (service) (millrace_outbox_oldest_pending_age_seconds)',
      '{{service}}',
    ]),
    panel('Connected to the broker', 'short', ['min by (service) (millrace_bus_connected)', '{{service}}']),
    panel('Commits (99 %)', 's', [
      quantile(0.99, 'millrace_store_commit_duration_seconds', 'service'),
      '{{service}}',
    ]),
    panel('Commits', 'ops', [rate('millrace_store_commit_duration_seconds_count', 'service'), '{{service}}']),
    panel('Commits that share a write (mean)', 'short', [
      ratio(
        rate('millrace_store_commit_group_size_sum', 'service'),
        rate('millrace_store_commit_group_size_count', 'service'),
      ),
      '{{service}}',
    ]),
    panel('Refused commits', 'ops', [
      rate('millrace_store_commit_errors_total', 'service, code'),
      '{{service}} {{code}}',
    ]),
    panel('Size of stores', 'bytes', ['max by (service) (millrace_store_size_bytes)', '{{service}}']),
    panel('Space left', 'percentunit', [
      ratio('min by (service) (millrace_disk_free_bytes)', 'max by (service) (millrace_disk_size_bytes)'),
      '{{service}}',
    ]),
    panel('Blobs', 'ops', [
      rate('millrace_blob_operations_total', 'operation, outcome'),
      '{{operation}} {{outcome}}',
    ]),
    panel('Bytes of blobs', 'Bps', [
      rate('millrace_blob_transferred_bytes_total', 'operation'),
      '{{operation}}',
    ]),
  ],
};

const answered = 'millrace_endpoint_requests_total';
const latency = 'millrace_endpoint_request_duration_seconds';

const serving: Dashboard = {
  name: 'serving',
  title: 'serving',
  panels: [
    panel('Predictions', 'reqps', [
      rate(answered, 'endpoint, revision, role'),
      '{{endpoint}} {{revision}} {{role}}',
    ]),
    panel('Errors', 'percentunit', [
      ratio(rate(answered, 'endpoint, revision', '{outcome="error"}'), rate(answered, 'endpoint, revision')),
      '{{endpoint}} {{revision}}',
    ]),
    panel('Share of the traffic', 'percentunit', [
      'max by (endpoint, revision, role) (millrace_endpoint_traffic_ratio)',
      '{{endpoint}} {{revision}} {{role}}',
    ]),
    panel('Latency (median)', 's', [
      quantile(0.5, latency, 'endpoint, revision'),
      '{{endpoint}} {{revision}}',
    ]),
    panel('Latency (99 %)', 's', [
      quantile(0.99, latency, 'endpoint, revision'),
      '{{endpoint}} {{revision}}',
    ]),
    panel('Within half a second', 'percentunit', [
      ratio(
        rate(`${latency}_bucket`, 'endpoint', '{role="live",le="0.5"}'),
        rate(`${latency}_count`, 'endpoint', '{role="live"}'),
      ),
      '{{endpoint}}',
    ]),
    panel('Requests of the gateway by status', 'reqps', [
      rate('millrace_http_requests_total', 'status', '{service="gateway"}'),
      '{{status}}',
    ]),
    panel('Requests of the gateway by route', 'reqps', [
      `topk(10, ${rate('millrace_http_requests_total', 'method, route', '{service="gateway"}')})`,
      '{{method}} {{route}}',
    ]),
    panel('Slowest routes of the gateway (99 %)', 's', [
      `topk(10, ${quantile(0.99, 'millrace_http_request_duration_seconds', 'route', '{service="gateway"}')})`,
      '{{route}}',
    ]),
    panel('Streams of events that are open', 'short', ['sum(millrace_gateway_streams_open)', 'open']),
    panel('Refused requests', 'reqps', [
      rate('millrace_gateway_requests_refused_total', 'reason'),
      '{{reason}}',
    ]),
    panel('Calls between services (99 %)', 's', [
      `topk(10, ${quantile(0.99, 'millrace_rpc_server_duration_seconds', 'service, method')})`,
      '{{method}}',
    ]),
  ],
};

const drift: Dashboard = {
  name: 'drift',
  title: 'drift',
  panels: [
    stat('Open alerts, critical', 'short', 'sum(millrace_drift_alerts_open{severity="critical"})'),
    stat('Open alerts, warning', 'short', 'sum(millrace_drift_alerts_open{severity="warning"})'),
    stat('Requests to train anew, 24 h', 'short', 'sum(increase(millrace_retrainings_requested_total[24h]))'),
    panel('Population stability index', 'short', [
      'max by (endpoint, feature) (millrace_drift_psi)',
      '{{endpoint}} {{feature}}',
    ]),
    panel('Features that drifted', 'short', [
      'max by (endpoint) (millrace_drift_features_drifted)',
      '{{endpoint}}',
    ]),
    panel(
      'Windows per hour',
      'short',
      [increase('millrace_drift_windows_closed_total', 'endpoint, outcome'), '{{endpoint}} {{outcome}}'],
      [increase('millrace_drift_detections_total', 'endpoint'), '{{endpoint}} detected'],
    ),
    panel(
      'Alerts per hour',
      'short',
      [
        increase('millrace_drift_alerts_raised_total', 'endpoint, severity'),
        '{{endpoint}} raised, {{severity}}',
      ],
      [
        increase('millrace_drift_alerts_resolved_total', 'endpoint, severity'),
        '{{endpoint}} resolved, {{severity}}',
      ],
    ),
  ],
};

const bridge: Dashboard = {
  name: 'bridge',
  title: 'bridge',
  panels: [
    stat('Events that are not in Kafka yet', 'short', 'max(millrace_kafka_lag)'),
    stat('Kafka answers', 'short', 'max(millrace_kafka_connected)'),
    stat('Webhooks switched off, 24 h', 'short', 'sum(increase(millrace_webhooks_disabled_total[24h]))'),
    panel('Lag', 'short', ['max(millrace_kafka_lag)', 'lag']),
    panel('Forwarded', 'ops', [rate('millrace_kafka_forwarded_total', 'topic'), '{{topic}}']),
    panel(
      'Errors per hour',
      'short',
      ['sum(increase(millrace_kafka_errors_total[1h]))', 'errors'],
      ['sum(increase(millrace_kafka_rejected_total[1h]))', 'rejected for good'],
    ),
    panel('Duration of a batch (99 %)', 's', [
      'histogram_quantile(0.99, sum by (le) (rate(millrace_kafka_batch_duration_seconds_bucket[$__rate_interval])))',
      'duration',
    ]),
    panel('Events of a batch (median)', 'short', [
      'histogram_quantile(0.5, sum by (le) (rate(millrace_kafka_batch_size_bucket[$__rate_interval])))',
      'events',
    ]),
    panel(
      'Webhooks',
      'ops',
      [rate('millrace_webhook_attempts_total', 'outcome'), '{{outcome}}'],
      ['sum(rate(millrace_webhook_deliveries_abandoned_total[$__rate_interval]))', 'given up'],
    ),
  ],
};

const runtime: Dashboard = {
  name: 'runtime',
  title: 'runtime',
  panels: [
    panel('Ready', 'short', ['min by (service) (millrace_service_ready)', '{{service}}']),
    panel('Processor', 'percentunit', [
      rate('millrace_process_cpu_seconds_total', 'instance'),
      '{{instance}}',
    ]),
    panel(
      'Memory',
      'bytes',
      ['millrace_process_resident_memory_bytes', '{{instance}}'],
      ['millrace_process_heap_used_bytes', '{{instance}} heap'],
    ),
    panel('Event loop is late by (99 %)', 's', [
      'millrace_process_event_loop_delay_seconds{quantile="0.99"}',
      '{{instance}}',
    ]),
    panel('Event loop busy', 'percentunit', [
      'millrace_process_event_loop_utilization_ratio',
      '{{instance}}',
    ]),
    panel('Time in garbage collection', 'percentunit', [
      rate('millrace_process_gc_duration_seconds_sum', 'instance, kind'),
      '{{instance}} {{kind}}',
    ]),
    panel('Handles', 'short', ['millrace_process_open_handles', '{{instance}}']),
    panel('Started', 'dateTimeFromNow', [
      'max by (instance) (millrace_process_start_time_seconds) * 1000',
      '{{instance}}',
    ]),
    panel('Certificate ends', 'dateTimeFromNow', [
      'min by (service) (millrace_certificate_expiry_timestamp_seconds) * 1000',
      '{{service}}',
    ]),
    panel(
      'Spans',
      'ops',
      ['sum(rate(millrace_trace_spans_exported_total[$__rate_interval]))', 'exported'],
      ['sum(rate(millrace_trace_spans_lost_total[$__rate_interval]))', 'lost'],
    ),
    panel('Versions of Node', 'short', ['count by (node_version) (millrace_build_info)', '{{node_version}}']),
  ],
};

/** All dashboards; their files in `dashboards` are made of these. */
export const dashboards: readonly Dashboard[] = [lifecycle, busAndStores, serving, drift, bridge, runtime];
