import { groupBuckets, metricsOf, shortBuckets } from './definition.ts';

export const storageMetrics = metricsOf({
  millrace_store_commit_duration_seconds: {
    type: 'histogram',
    unit: 'seconds',
    labels: ['service'],
    help: 'Time from a commit asked for to its durable answer, with the time it waited for others to share its write.',
    buckets: shortBuckets,
  },
  millrace_store_commit_errors_total: {
    type: 'counter',
    unit: '',
    labels: ['service', 'code'],
    help: 'Commits that changed nothing, by the code of the error; conflict is everyday business.',
    only: 'after a refused commit',
  },
  millrace_store_commit_group_size: {
    type: 'histogram',
    unit: '',
    labels: ['service'],
    help: 'Commits that shared a write.',
    buckets: groupBuckets,
  },
  millrace_store_size_bytes: {
    type: 'gauge',
    unit: 'bytes',
    labels: ['service'],
    help: 'Size of the store: its files, or what MongoDB says of the database.',
  },
  millrace_blob_operations_total: {
    type: 'counter',
    unit: '',
    labels: ['operation', 'outcome'],
    help: 'Blobs that were put, got or materialized: ok, or the code of the error.',
  },
  millrace_blob_transferred_bytes_total: {
    type: 'counter',
    unit: 'bytes',
    labels: ['operation'],
    help: 'Bytes of the blobs that were put or got.',
  },
  millrace_disk_free_bytes: {
    type: 'gauge',
    unit: 'bytes',
    labels: ['service'],
    help: "Space that is left on the disk of the service's data directory.",
  },
  millrace_disk_size_bytes: {
    type: 'gauge',
    unit: 'bytes',
    labels: ['service'],
    help: "Size of the disk of the service's data directory.",
  },
});
