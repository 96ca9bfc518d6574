import { asMillraceError } from '@millrace/errors';
import { count, record } from '@millrace/telemetry';

/** One object for each service: labels that are kept cost next to nothing to find. */
const labels = new Map<string, { readonly service: string }>();

const labelsOf = (service: string): { readonly service: string } => {
  const known = labels.get(service) ?? { service };
  labels.set(service, known);
  return known;
};

/** Measures a commit of a service's store from its request to its answer. */
export const measuredCommit = async <R>(service: string, commit: () => Promise<R>): Promise<R> => {
  const started = performance.now();
  try {
    return await commit();
  } catch (thrown) {
    count('millrace_store_commit_errors_total', { service, code: asMillraceError(thrown).code });
    throw thrown;
  } finally {
    record('millrace_store_commit_duration_seconds', (performance.now() - started) / 1000, labelsOf(service));
  }
};

/** Commits of a service's store that shared a write. */
export const measureGroup = (service: string, commits: number): void =>
  record('millrace_store_commit_group_size', commits, labelsOf(service));
