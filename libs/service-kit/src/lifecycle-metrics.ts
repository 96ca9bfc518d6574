import { count, record } from '@millrace/telemetry';

/** What is read of an event of the outbox. */
export interface PublishedEvent {
  readonly type: string;
  /** Its data in proto JSON. */
  readonly json: string;
}

type Fields = { readonly [name: string]: unknown };

const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null ? (value as Fields) : {};

/** A text at a path of names, or a word for what is not there. */
const textAt = (data: unknown, ...path: readonly string[]): string => {
  const found = path.reduce<unknown>((value, name) => fieldsOf(value)[name], data);
  return typeof found === 'string' && found !== '' ? found : 'unknown';
};

const secondsBetween = (from: string, to: string): number | undefined => {
  const seconds = (Date.parse(to) - Date.parse(from)) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.max(0, seconds);
};

/** `STEP_STATE_CACHED` → `cached` */
const wordOf = (literal: string, prefix: string): string => literal.replace(prefix, '').toLowerCase();

const runFinished = (outcome: string) => (data: unknown) => {
  count('millrace_pipeline_runs_finished_total', { outcome });
  const seconds = secondsBetween(textAt(data, 'run', 'createdAt'), textAt(data, 'run', 'finishedAt'));
  if (seconds !== undefined) record('millrace_pipeline_run_duration_seconds', seconds, { outcome });
};

const attemptFinished = (outcome: string) => (data: unknown) => {
  const { workMs } = fieldsOf(fieldsOf(data).result);
  const labels = { step: textAt(data, 'result', 'step'), outcome };
  record('millrace_step_duration_seconds', typeof workMs === 'number' ? workMs / 1000 : 0, labels);
};

const stepFinished = (data: unknown): void => {
  const state = wordOf(textAt(data, 'step', 'state'), 'STEP_STATE_');
  count('millrace_steps_finished_total', { step: textAt(data, 'step', 'name'), outcome: state });
};

const changed = (change: string) => () => count('millrace_model_versions_total', { change });

const deployment = (change: string) => (data: unknown) =>
  count('millrace_deployments_total', { endpoint: textAt(data, 'endpoint', 'name'), change });

const rolledBack = (data: unknown): void => {
  deployment('rolled_back')(data);
  const cause = textAt(data, 'alertId') === 'unknown' ? 'person' : 'alert';
  count('millrace_rollbacks_total', { endpoint: textAt(data, 'endpoint', 'name'), cause });
};

const alertLabels = (data: unknown) => ({
  endpoint: textAt(data, 'alert', 'endpoint'),
  severity: wordOf(textAt(data, 'alert', 'severity'), 'SEVERITY_'),
});

/** What each type of event says of the lifecycle. */
const meanings: Readonly<Record<string, (data: unknown) => void>> = {
  'millrace.pipeline.run.requested.v1': () => count('millrace_pipeline_runs_submitted_total', {}),
  'millrace.pipeline.run.succeeded.v1': runFinished('succeeded'),
  'millrace.pipeline.run.failed.v1': runFinished('failed'),
  'millrace.pipeline.run.cancelled.v1': runFinished('cancelled'),
  'millrace.pipeline.run.step_finished.v1': stepFinished,
  'millrace.training.run.finished.v1': () =>
    count('millrace_training_runs_finished_total', { outcome: 'finished' }),
  'millrace.training.run.failed.v1': () =>
    count('millrace_training_runs_finished_total', { outcome: 'failed' }),
  'millrace.ingest.dataset_version.created.v1': () =>
    count('millrace_dataset_versions_total', { outcome: 'created' }),
  'millrace.ingest.dataset_rejection.recorded.v1': () =>
    count('millrace_dataset_versions_total', { outcome: 'rejected' }),
  'millrace.evaluation.report.passed.v1': () =>
    count('millrace_evaluation_reports_total', { outcome: 'passed' }),
  'millrace.evaluation.report.failed.v1': () =>
    count('millrace_evaluation_reports_total', { outcome: 'failed' }),
  'millrace.registry.model_version.registered.v1': changed('registered'),
  'millrace.registry.model_version.approved.v1': changed('approved'),
  'millrace.registry.model_version.rejected.v1': changed('rejected'),
  'millrace.registry.model_version.archived.v1': changed('archived'),
  'millrace.deployment.deployment.started.v1': deployment('started'),
  'millrace.deployment.deployment.promoted.v1': deployment('promoted'),
  'millrace.deployment.deployment.failed.v1': deployment('failed'),
  'millrace.deployment.deployment.rolled_back.v1': rolledBack,
  'millrace.monitoring.drift.detected.v1': (data) =>
    count('millrace_drift_detections_total', { endpoint: textAt(data, 'window', 'endpoint') }),
  'millrace.monitoring.alert.raised.v1': (data) =>
    count('millrace_drift_alerts_raised_total', alertLabels(data)),
  'millrace.monitoring.alert.resolved.v1': (data) =>
    count('millrace_drift_alerts_resolved_total', alertLabels(data)),
  'millrace.monitoring.retraining.requested.v1': (data) =>
    count('millrace_retrainings_requested_total', { endpoint: textAt(data, 'endpoint') }),
  'millrace.bridge.delivery.failed.v1': () => count('millrace_webhook_deliveries_abandoned_total', {}),
  'millrace.bridge.webhook.disabled.v1': () => count('millrace_webhooks_disabled_total', {}),
};

const attemptEnd = /^millrace\.[a-z_]+\.step\.(succeeded|failed)\.v1$/;

/** Counts what a published event of a service tells of the lifecycle: the one place where facts become metrics. */
export const countLifecycle = (service: string, { type, json }: PublishedEvent): void => {
  count('millrace_events_published_total', { service, type });
  const attempt = attemptEnd.exec(type)?.[1];
  const meaning = attempt === undefined ? meanings[type] : attemptFinished(attempt);
  meaning?.(JSON.parse(json));
};
