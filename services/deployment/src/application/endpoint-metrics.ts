import { count, record } from '@millrace/telemetry';
import type { TrafficShare } from '../domain/endpoint.ts';

const roleOf = (traffic: readonly TrafficShare[], revision: number): 'live' | 'shadow' =>
  traffic.some((share) => share.revision === revision && share.shadow) ? 'shadow' : 'live';

/** Measures the requests that a revision answers; what is done for each is two additions. */
export const requestMeasure = (endpoint: string, revision: number, traffic: readonly TrafficShare[]) => {
  const labels = { endpoint, revision: String(revision), role: roleOf(traffic, revision) };
  const answered = { ...labels, outcome: 'ok' };
  const failed = { ...labels, outcome: 'error' };
  return (latencyMs: number, isFailure: boolean): void => {
    count('millrace_endpoint_requests_total', isFailure ? failed : answered);
    record('millrace_endpoint_request_duration_seconds', latencyMs / 1000, labels);
  };
};

/** The shares of an endpoint's revisions, as measurements. */
export const trafficMeasurements = (endpoint: string, traffic: readonly TrafficShare[]) =>
  traffic.map(({ revision, percent, shadow }) => ({
    value: percent / 100,
    labels: { endpoint, revision: String(revision), role: shadow ? 'shadow' : 'live' },
  }));
