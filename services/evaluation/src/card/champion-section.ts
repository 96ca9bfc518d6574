import { badge, type CardSection, formatNumber, note, paragraph, table } from '@millrace/cards';
import type { Difference } from '@millrace/metrics';
import type { ChampionFacts } from '../domain/decide-gates.ts';
import type { Evaluation } from './evaluation.ts';
import { intervalText, signed } from './text.ts';

/** The new model against the one that serves, on the same test rows; nothing without a champion. */
export const championSection = (evaluation: Evaluation): CardSection | undefined => {
  const { champion } = evaluation;
  if (champion.kind === 'none') return undefined;
  const title = 'Against the champion';
  if (champion.kind === 'not_comparable') {
    return { title, content: [paragraph(`${champion.reference} cannot be compared: ${champion.reason}`)] };
  }
  return { title, content: comparison(evaluation, champion) };
};

const comparison = (
  { measurement, request: { catalog } }: Evaluation,
  champion: Extract<ChampionFacts, { kind: 'compared' }>,
) => {
  const rows = measurement.test.metrics.flatMap(({ name, value }) => {
    const difference = champion.differences[name];
    const better = catalog.find(name)?.greaterIsBetter;
    if (difference === undefined || better === undefined) return [];
    return [
      {
        name,
        cells: [
          name,
          formatNumber(value),
          formatNumber(champion.metrics[name]),
          signed(difference.value),
          intervalText(difference.interval),
          judgement(difference, better),
        ],
      },
    ];
  });
  return [
    table({
      columns: [
        { title: 'Metric' },
        { title: 'This model', numeric: true },
        { title: champion.reference, numeric: true },
        { title: 'Difference', numeric: true },
        { title: '95 % interval', numeric: true },
        { title: '' },
      ],
      rows: rows.map(({ cells }) => cells),
      strong: new Set(rows.flatMap(({ name }, row) => (name === catalog.primary ? [row] : []))),
    }),
    note(
      'Both models predict the same test rows, and the interval of the difference resamples both alike. Better or worse is said only where the interval leaves out 0.',
    ),
  ];
};

const judgement = ({ interval }: Difference, greaterIsBetter: boolean) => {
  if (interval === undefined || (interval.low <= 0 && interval.high >= 0))
    return badge('no clear difference');
  return interval.low > 0 === greaterIsBetter ? badge('better', 'good') : badge('worse', 'bad');
};
