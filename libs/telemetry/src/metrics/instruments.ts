import {
  type CounterName,
  type HistogramName,
  type LabelsOf,
  type MetricName,
  metricTable,
} from './metric-table.ts';
import type { MetricDefinition } from './table/definition.ts';
import { familyHead, type Labels, labelsText } from './text-format.ts';

/** Series of one metric; what comes beyond them is added up in one series. */
const mostSeries = 2_000;
const overflow: Labels = { otel_metric_overflow: 'true' };

interface CounterSeries {
  readonly labels: Labels;
  value: number;
}

interface HistogramSeries {
  readonly labels: Labels;
  /** By bucket, the last without a bound. */
  readonly counts: number[];
  sum: number;
}

/** The series of a metric, found by the identity of their labels where a caller keeps them, else by their text. */
class SeriesOf<S> {
  readonly #byText = new Map<string, S>();
  readonly #byLabels = new WeakMap<Labels, S>();
  readonly #make: (labels: Labels) => S;

  constructor(make: (labels: Labels) => S) {
    this.#make = make;
  }

  /** @param labels must not be changed afterwards */
  of(labels: Labels): S {
    const known = this.#byLabels.get(labels);
    if (known !== undefined) return known;
    const series = this.#byTextOf(labels);
    this.#byLabels.set(labels, series);
    return series;
  }

  all(): readonly S[] {
    return [...this.#byText.values()];
  }

  #byTextOf(labels: Labels): S {
    const text = labelsText(labels);
    const known = this.#byText.get(text);
    if (known !== undefined) return known;
    if (this.#byText.size >= mostSeries && labels !== overflow) return this.#byTextOf(overflow);
    const made = this.#make(labels);
    this.#byText.set(text, made);
    return made;
  }
}

const counters = new Map<CounterName, SeriesOf<CounterSeries>>();
const histograms = new Map<HistogramName, SeriesOf<HistogramSeries>>();

const boundsOf = (name: MetricName): readonly number[] =>
  (metricTable[name] as MetricDefinition).buckets ?? [];

/**
 * Adds to a counter of the table. It costs some tens of nanoseconds when the same object of labels is given each time,
 * as on hot paths it should be.
 */
export const count = <Name extends CounterName>(name: Name, labels: LabelsOf<Name>, by = 1): void => {
  if (by === 0) return;
  let series = counters.get(name);
  if (series === undefined) {
    series = new SeriesOf((given) => ({ labels: given, value: 0 }));
    counters.set(name, series);
  }
  series.of(labels).value += by;
};

/** Records a value, in the metric's unit, in a histogram of the table. Costs what `count` does. */
export const record = <Name extends HistogramName>(
  name: Name,
  value: number,
  labels: LabelsOf<Name>,
): void => {
  const bounds = boundsOf(name);
  let series = histograms.get(name);
  if (series === undefined) {
    series = new SeriesOf((given) => ({
      labels: given,
      counts: new Array<number>(bounds.length + 1).fill(0),
      sum: 0,
    }));
    histograms.set(name, series);
  }
  const found = series.of(labels);
  let bucket = 0;
  while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
  found.counts[bucket] = (found.counts[bucket] ?? 0) + 1;
  found.sum += value;
};

const histogramText = (name: HistogramName, { labels, counts, sum }: HistogramSeries): string => {
  const bounds = [...boundsOf(name).map(String), '+Inf'];
  let total = 0;
  const buckets = bounds.map((le, i) => {
    total += counts[i] ?? 0;
    return `${name}_bucket${labelsText({ ...labels, le })} ${total}\n`;
  });
  const shown = labelsText(labels);
  return `${buckets.join('')}${name}_sum${shown} ${sum}\n${name}_count${shown} ${total}\n`;
};

/** All counters and histograms in the Prometheus text format. */
export const recordedText = (): string => {
  const families: string[] = [];
  for (const [name, series] of counters) {
    const lines = series.all().map(({ labels, value }) => `${name}${labelsText(labels)} ${value}\n`);
    families.push(familyHead(name), ...lines);
  }
  for (const [name, series] of histograms) {
    families.push(familyHead(name), ...series.all().map((each) => histogramText(name, each)));
  }
  return families.join('');
};
