import { barChart, type CardSection, code, facts, formatNumber, note, table } from '@millrace/cards';
import type { Evaluation } from './evaluation.ts';

const shownFeatures = 20;

/** What the model relies on. */
export const importanceSection = ({ measurement: { importance } }: Evaluation): CardSection | undefined => {
  const { features, metric, rowCount } = importance;
  if (features.length === 0) return undefined;
  const hidden = features.length - shownFeatures;
  return {
    title: 'Feature importance',
    content: [
      barChart({
        title: `Worsening of ${metric} when a feature is shuffled`,
        bars: features.slice(0, shownFeatures).map(({ feature, mean, standardDeviation }) => ({
          label: feature,
          value: mean,
          interval: [mean - standardDeviation, mean + standardDeviation],
        })),
      }),
      note(
        `Permutation importance on ${formatNumber(rowCount)} test rows; whiskers: one standard deviation over 5 shuffles. Features that stand for one another share their importance.${
          hidden > 0 ? ` ${hidden} less important features are not shown.` : ''
        }`,
      ),
    ],
  };
};

/** The rows with the largest errors. */
export const worstSection = ({ measurement: { worst } }: Evaluation): CardSection | undefined =>
  worst.rows.length === 0
    ? undefined
    : {
        title: 'Worst predictions',
        content: [
          table({
            columns: worst.columns.map((title, index) => ({
              title,
              numeric: worst.rows.every((row) => typeof row[index] === 'number' || row[index] === null),
            })),
            rows: worst.rows.map((row) =>
              row.map((value) => (typeof value === 'number' ? formatNumber(value, 5) : String(value ?? '–'))),
            ),
          }),
        ],
      };

/** Exactly what was evaluated on what. */
export const lineageSection = ({ request, createdAt, champion }: Evaluation): CardSection => {
  const { identity, reportId, seed } = request;
  const pairs: readonly (readonly [string, string])[] = [
    ['Model', identity.modelDigest],
    ['Test data', identity.dataDigest],
    ['Dataset version', identity.datasetVersionId],
    ['Training run', identity.trainingRunId],
    ['Pipeline run', identity.pipelineRunId],
    ['Champion', champion.kind === 'none' ? '' : champion.reference],
    ['Report', reportId],
    ['Seed', String(seed)],
    ['Created', createdAt],
  ];
  return {
    title: 'Data and lineage',
    content: [facts(pairs.filter(([, value]) => value !== '').map(([label, value]) => [label, code(value)]))],
  };
};
