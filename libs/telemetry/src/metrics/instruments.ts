import type { Counter, Histogram, Meter } from '@opentelemetry/api';
import {
  type CounterName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
  metricTable,
} from './metric-table.ts';
import type { MetricDefinition } from './table/definition.ts';

let meter: Meter | undefined;
const counters = new Map<string, Counter>();
const histograms = new Map<string, Histogram>();

/** Sends measurements to a meter from now on. */
export const measureWith = (next: Meter): void => {
  meter = next;
  counters.clear();
  histograms.clear();
};

const definitionOf = (name: MetricName): MetricDefinition => metricTable[name];

/** The exporter adds `_total` itself. */
const instrumentName = (name: string): string => name.replace(/_total$/, '');

const optionsOf = (name: MetricName) => {
  const { help, unit, buckets } = definitionOf(name);
  return {
    description: help,
    ...(unit === '' ? {} : { unit }),
    ...(buckets === undefined ? {} : { advice: { explicitBucketBoundaries: [...buckets] } }),
  };
};

/** Adds to a counter of the table; nothing before the process's telemetry has started. */
export const count = <Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void => {
  if (meter === undefined || by === 0) return;
  let counter = counters.get(name);
  if (counter === undefined) {
    counter = meter.createCounter(instrumentName(name), optionsOf(name));
    counters.set(name, counter);
  }
  counter.add(by, labels);
};

/** Records a value, in the metric's unit, in a histogram of the table. */
export const record = <Name extends HistogramName>(
  name: Name,
  value: number,
  labels: LabelsOf<Name>,
): void => {
  if (meter === undefined) return;
  let histogram = histograms.get(name);
  if (histogram === undefined) {
    histogram = meter.createHistogram(name, optionsOf(name));
    histograms.set(name, histogram);
  }
  histogram.record(value, labels);
};
