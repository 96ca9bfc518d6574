import { busMetrics } from './table/bus.ts';
import type { MetricDefinition } from './table/definition.ts';
import { edgeMetrics } from './table/edge.ts';
import { lifecycleMetrics } from './table/lifecycle.ts';
import { runtimeMetrics } from './table/runtime.ts';
import { servingMetrics } from './table/serving.ts';
import { storageMetrics } from './table/storage.ts';

/** Every metric that Millrace exposes, in the groups of `docs/telemetry/metrics.md`. */
export const metricGroups = {
  Lifecycle: lifecycleMetrics,
  'Bus and outbox': busMetrics,
  'Stores and disks': storageMetrics,
  'Endpoints and drift': servingMetrics,
  'Gateway, calls and bridge': edgeMetrics,
  Runtime: runtimeMetrics,
} as const;

const table = {
  ...lifecycleMetrics,
  ...busMetrics,
  ...storageMetrics,
  ...servingMetrics,
  ...edgeMetrics,
  ...runtimeMetrics,
};

type Table = typeof table;

/** By name as Prometheus shows it. */
export const metricTable: Readonly<Record<string, MetricDefinition>> & Table = table;

export type MetricName = keyof Table;

type OfType<T extends MetricDefinition['type']> = {
  [Name in MetricName]: Table[Name]['type'] extends T ? Name : never;
}[MetricName];

export type CounterName = OfType<'counter'>;
export type GaugeName = OfType<'gauge'>;
export type HistogramName = OfType<'histogram'>;

/** A value for each label that the table declares. */
export type LabelsOf<Name extends MetricName> = {
  readonly [Label in Table[Name]['labels'][number]]: string;
};
