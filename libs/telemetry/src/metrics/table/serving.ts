import { metricsOf, requestBuckets } from './definition.ts';

export const servingMetrics = metricsOf({
  millrace_endpoint_requests_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint', 'revision', 'role', 'outcome'],
    help: 'Prediction requests by the revision that answered, its role (live or shadow) and outcome: ok, or error. A wrong input is the caller’s mistake and not counted here.',
  },
  millrace_endpoint_request_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['endpoint', 'revision', 'role'],
    help: 'Time to answer a prediction request inside the serving process.',
    buckets: requestBuckets,
  },
  millrace_endpoint_traffic_ratio: {
    type: 'gauge',
    unit: '',
    labels: ['endpoint', 'revision', 'role'],
    help: 'Share of the traffic that a revision answers, or gets a copy of as a shadow; 0 to 1.',
  },
  millrace_drift_windows_closed_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint', 'outcome'],
    help: 'Windows of predictions that were compared with the baseline: drifted or stable.',
  },
  millrace_drift_psi: {
    type: 'gauge',
    unit: '',
    labels: ['endpoint', 'feature'],
    help: 'Population stability index of the latest closed window, of the 20 features of an endpoint where it is largest.',
  },
  millrace_drift_features_drifted: {
    type: 'gauge',
    unit: '',
    labels: ['endpoint'],
    help: 'Features that drifted in the latest closed window.',
  },
  millrace_drift_detections_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint'],
    help: 'Closed windows in which drift was detected.',
    only: 'after drift',
  },
  millrace_drift_alerts_raised_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint', 'severity'],
    help: 'Alerts of monitors that were raised.',
    only: 'after an alert',
  },
  millrace_drift_alerts_resolved_total: {
    type: 'counter',
    unit: '',
    labels: ['endpoint', 'severity'],
    help: 'Alerts of monitors that were resolved.',
    only: 'after an alert was resolved',
  },
  millrace_drift_alerts_open: {
    type: 'gauge',
    unit: '',
    labels: ['severity'],
    help: 'Alerts of monitors that are open.',
  },
});
