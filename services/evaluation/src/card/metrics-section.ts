import { type CardSection, formatNumber, note, table, tiles } from '@millrace/cards';
import type { MetricEstimate } from '../domain/measurement.ts';
import type { Evaluation } from './evaluation.ts';
import { intervalText } from './text.ts';

const tileCount = 4;

/** Metrics of both held-out splits: the primary first, then the project's own, then the rest by name. */
export const metricsSection = ({ request: { catalog }, measurement }: Evaluation): CardSection => {
  const rank = (name: string) => (name === catalog.primary ? 0 : catalog.find(name)?.custom === true ? 1 : 2);
  const test = measurement.test.metrics.toSorted(
    (a, b) => rank(a.name) - rank(b.name) || (a.name < b.name ? -1 : 1),
  );
  const validation = new Map(measurement.validation.metrics.map((metric) => [metric.name, metric]));
  const arrow = (name: string) => {
    const better = catalog.find(name)?.greaterIsBetter;
    return better === undefined ? '' : better ? '↑' : '↓';
  };
  /** Facts of the data, such as the number of rows, are not estimates of the model. */
  const spread = (metric: MetricEstimate | undefined) =>
    metric === undefined || arrow(metric.name) === '' ? '' : intervalText(metric.interval);
  const ranked = test.filter(({ name }) => catalog.find(name)?.greaterIsBetter !== undefined);
  return {
    title: 'Metrics',
    content: [
      tiles(
        ranked.slice(0, tileCount).map(({ name, value, interval }) => ({
          label: `${name} ${arrow(name)}`,
          value: formatNumber(value, 5),
          ...(interval === undefined ? {} : { detail: intervalText(interval) }),
        })),
      ),
      table({
        columns: [
          { title: 'Metric' },
          { title: 'Test', numeric: true },
          { title: '95 % interval', numeric: true },
          { title: 'Validation', numeric: true },
          { title: '95 % interval', numeric: true },
        ],
        rows: test.map((metric) => [
          `${metric.name} ${arrow(metric.name)}`,
          formatNumber(metric.value),
          spread(metric),
          formatNumber(validation.get(metric.name)?.value),
          spread(validation.get(metric.name)),
        ]),
        strong: new Set(test.flatMap(({ name }, row) => (rank(name) < 2 ? [row] : []))),
      }),
      note(
        'Intervals by percentile bootstrap of the rows. ↑ more is better, ↓ less is better. The test split decides; tuning on it would make it worthless.',
      ),
    ],
  };
};
