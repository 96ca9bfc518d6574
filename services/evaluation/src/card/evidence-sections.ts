import {
  barChart,
  beeswarm,
  type CardSection,
  code,
  collapsed,
  facts,
  formatNumber,
  note,
  predictionTable,
} from '@millrace/cards';
import { runCommands } from '@millrace/service-kit';
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

/** How features move predictions, row by row. */
export const explanationSection = ({ measurement: { explanation } }: Evaluation): CardSection | undefined => {
  if (explanation === undefined) return undefined;
  const { output, rowCount, features } = explanation;
  return {
    title: 'Explanation (SHAP)',
    content: [
      barChart({
        title: `Mean absolute contribution to ${output}`,
        bars: features.map(({ feature, meanAbsolute }) => ({ label: feature, value: meanAbsolute })),
      }),
      beeswarm({
        title: `Contribution to ${output}, a point for each row`,
        rows: features.map(({ feature, points }) => ({ label: feature, points })),
        x: 'moves the output by',
      }),
      note(
        `Shapley values by sampling on ${formatNumber(rowCount)} test rows: the contributions of a row add up to its output minus a mean one. Features without order have one colour.`,
      ),
    ],
  };
};

/** The rows with the largest errors, and those with the smallest. */
export const rankedSection = ({ measurement: { worst, best } }: Evaluation): CardSection | undefined =>
  worst.rows.length === 0 && best.rows.length === 0
    ? undefined
    : {
        title: 'Worst and best predictions',
        content: [predictionTable(worst, 'Worst'), collapsed('Best', [predictionTable(best)])],
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
    title: 'Lineage and run',
    content: [
      facts(pairs.filter(([, value]) => value !== '').map(([label, value]) => [label, code(value)])),
      ...runCommands(identity.pipelineRunId),
    ],
  };
};
