import { barChart, type CardSection, code, formatNumber, note, table } from '@millrace/cards';
import type { SliceMeasurement } from '../domain/measurement.ts';
import type { Evaluation } from './evaluation.ts';
import { intervalText } from './text.ts';

/** How the primary metric varies over parts of the test split; nothing without slices. */
export const slicesSection = ({ measurement, request: { catalog } }: Evaluation): CardSection | undefined => {
  const { slices, test } = measurement;
  if (slices.length === 0) return undefined;
  const shown =
    catalog.find(catalog.primary)?.custom === true ? (slices[0]?.metrics[0]?.name ?? '') : catalog.primary;
  const metricOf = (slice: SliceMeasurement) => slice.metrics.find(({ name }) => name === shown);
  const sign = catalog.find(shown)?.greaterIsBetter === false ? -1 : 1;
  const worstFirst = slices.toSorted(
    (a, b) =>
      sign * (metricOf(a)?.value ?? sign * Number.POSITIVE_INFINITY) -
      sign * (metricOf(b)?.value ?? sign * Number.POSITIVE_INFINITY),
  );
  const overall = test.metrics.find(({ name }) => name === shown)?.value;
  const bars = worstFirst.flatMap((slice) => {
    const metric = metricOf(slice);
    if (metric === undefined) return [];
    const { value, interval } = metric;
    return [
      {
        label: slice.name,
        value,
        ...(interval === undefined ? {} : { interval: [interval.low, interval.high] as const }),
      },
    ];
  });
  return {
    title: 'Slices',
    content: [
      ...(bars.length === 0
        ? []
        : [
            barChart({
              title: `${shown} by slice, worst first`,
              bars,
              ...(overall === undefined ? {} : { reference: overall }),
            }),
            note(`Dashed: all test rows (${formatNumber(overall)}). Whiskers: 95 % intervals.`),
          ]),
      table({
        columns: [
          { title: 'Slice' },
          { title: 'Rows where' },
          { title: 'Rows', numeric: true },
          { title: shown, numeric: true },
          { title: '95 % interval', numeric: true },
        ],
        rows: worstFirst.map((slice) => [
          slice.name,
          code(slice.where),
          formatNumber(slice.support),
          slice.support < slice.minSupport
            ? `fewer than ${slice.minSupport} rows`
            : formatNumber(metricOf(slice)?.value),
          intervalText(metricOf(slice)?.interval),
        ]),
      }),
    ],
  };
};
