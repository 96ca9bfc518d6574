import { metricsOf, workBuckets } from './definition.ts';

/** Counted as events are handed to the broker: after a crash between the two, some are counted twice. */
export const lifecycleMetrics = metricsOf({
  millrace_events_published_total: {
    type: 'counter',
    unit: '',
    labels: ['service', 'type'],
    help: 'Events of the catalogue that the broker has acknowledged, by their type.',
  },
  millrace_pipeline_runs_submitted_total: {
    type: 'counter',
    unit: '',
    labels: [],
    help: 'Pipeline runs that were submitted.',
  },
  millrace_pipeline_runs_finished_total: {
    type: 'counter',
    unit: '',
    labels: ['outcome'],
    help: 'Pipeline runs that ended: succeeded, failed or cancelled.',
  },
  millrace_pipeline_run_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['outcome'],
    help: 'Time from the submission of a pipeline run to its end, with the time it waited for people.',
    buckets: workBuckets,
  },
  millrace_pipeline_runs_open: {
    type: 'gauge',
    unit: '',
    labels: ['state'],
    help: 'Pipeline runs that are queued, running or waiting for a person.',
  },
  millrace_pipeline_oldest_step_age_seconds: {
    type: 'gauge',
    unit: 'seconds',
    labels: [],
    help: 'Time since the beginning of the step that has run for longest, of the 100 oldest running pipeline runs; 0 while none runs.',
  },
  millrace_steps_finished_total: {
    type: 'counter',
    unit: '',
    labels: ['step', 'outcome'],
    help: 'Steps that ended: succeeded, cached (the outputs of an equal step were reused), failed, cancelled or skipped.',
  },
  millrace_step_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['step', 'outcome'],
    help: "Time inside an attempt's own work.",
    buckets: workBuckets,
  },
  millrace_training_runs_finished_total: {
    type: 'counter',
    unit: '',
    labels: ['outcome'],
    help: 'Training runs that ended: finished or failed.',
  },
  millrace_dataset_versions_total: {
    type: 'counter',
    unit: '',
    labels: ['outcome'],
    help: 'Dataset versions that were created, and data that its contract rejected.',
  },
  millrace_evaluation_reports_total: {
    type: 'counter',
    unit: '',
    labels: ['outcome'],
    help: 'Evaluations by whether the model passed its gates: passed or failed.',
  },
  millrace_model_versions_total: {
    type: 'counter',
    unit: '',
    labels: ['change'],
    help: 'Model versions that were registered, approved, rejected or archived.',
  },
  millrace_deployments_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint', 'change'],
    help: 'Rollouts that were started, promoted, rolled_back or failed.',
  },
  millrace_rollbacks_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint', 'cause'],
    help: 'Rollbacks by what caused them: alert, or person.',
    only: 'after a rollback',
  },
  millrace_retrainings_requested_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint'],
    help: 'Requests to train anew that drift caused.',
    only: 'after a monitor with `on_drift: retrain` saw drift',
  },
});
