import {
  type CardSection,
  code,
  collapsed,
  columns,
  comparedColumns,
  type EnvironmentFacts,
  environmentSection,
  facts,
  formatNumber,
  lineChart,
  metricTable,
  note,
  type PredictionRows,
  predictionTable,
  preformatted,
  schemaTable,
  subheading,
  table,
  tiles,
} from '@millrace/cards';
import type { StepCommand } from '@millrace/contracts/step';
import type { OnnxParity } from '@millrace/modeling';
import { type StepResult, stepCard } from '@millrace/service-kit';
import type { Comparison } from '@millrace/tabular';
import { type LeaderboardRun, leaderboardSection } from './leaderboard.ts';
import { type SearchFacts, tuningSection } from './tuning-section.ts';

/** Losses or metrics by step: `training_loss`, `val_loss`. */
export interface LearningCurve {
  readonly name: string;
  readonly points: readonly (readonly [step: number, value: number])[];
}

/** The rows of a split that the model did worst and best on. */
export interface RankedSplit {
  readonly worst: PredictionRows;
  readonly best?: PredictionRows;
  /** The target beside its predictions; absent when the recipe skips profiling. */
  readonly comparison?: Comparison;
}

/** All that the card of a train step shows, of whichever runtime. */
export interface TrainFacts {
  /** The training run. */
  readonly runId: string;
  /** `linear/ridge`, `custom:estimator_fn`, `sklearn.linear_model.SGDRegressor`. */
  readonly estimator: string;
  /** The model as text: architecture, pipeline. */
  readonly description: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly objective: { readonly metric: string; readonly greaterIsBetter: boolean };
  /** Names of the project's own metrics. */
  readonly customMetrics: readonly string[];
  /** Built-in and own metrics by split, without prefix. */
  readonly metrics: {
    readonly training: Readonly<Record<string, number>>;
    readonly validation: Readonly<Record<string, number>>;
  };
  readonly rows: { readonly training: number; readonly validation: number };
  readonly leaderboard: readonly LeaderboardRun[];
  readonly search?: SearchFacts;
  readonly curves: readonly LearningCurve[];
  readonly ranked?: { readonly training?: RankedSplit; readonly validation?: RankedSplit };
  readonly signature: {
    readonly inputs: readonly { readonly name: string; readonly type: string; readonly nullable?: boolean }[];
    readonly outputs: readonly { readonly name: string; readonly type: string }[];
  };
  readonly environment: EnvironmentFacts;
  /** Absent where the runtime makes no ONNX form. */
  readonly onnx?: OnnxFacts;
}

/** The model's form in ONNX, and whether it is what predictions come from. */
export interface OnnxFacts {
  readonly parity: OnnxParity;
  readonly serves: boolean;
}

const splits = ['training', 'validation'] as const;

/** The card of the step `train`. */
export const trainCard = (
  command: StepCommand,
  trained: TrainFacts,
  { outputs, warnings = [] }: StepResult,
): string =>
  stepCard(command, {
    title: 'Training',
    subtitle: `${trained.estimator} on ${formatNumber(trained.rows.training)} rows, run ${trained.runId}`,
    badge:
      warnings.length === 0 ? { text: 'Succeeded', tone: 'good' } : { text: 'With warnings', tone: 'warn' },
    sections: [
      performanceSection(trained),
      leaderboardSection(trained.leaderboard, trained.objective),
      trained.search === undefined ? undefined : tuningSection(trained.search, trained.objective),
      curvesSection(trained.curves),
      rankedSection(trained),
      predictionsSection(trained.ranked),
      modelSection(trained),
      signatureSection(trained.signature),
      trained.onnx === undefined ? undefined : onnxSection(trained.onnx),
      environmentSection(trained.environment),
    ],
    warnings,
    outputs,
  });

const performanceSection = ({ metrics, objective, customMetrics, rows }: TrainFacts): CardSection => {
  const shown = [objective.metric, ...customMetrics.filter((name) => name !== objective.metric)].slice(0, 2);
  return {
    title: 'Performance',
    content: [
      tiles(
        shown.flatMap((name) => [
          { label: `${name}, validation`, value: formatNumber(metrics.validation[name], 5) },
          { label: `${name}, training`, value: formatNumber(metrics.training[name], 5) },
        ]),
      ),
      metricTable({
        columns: [
          { title: `Training (${formatNumber(rows.training)} rows)`, metrics: metrics.training },
          { title: `Validation (${formatNumber(rows.validation)} rows)`, metrics: metrics.validation },
        ],
        primary: objective.metric,
        custom: customMetrics,
      }),
      note(`Of ${objective.metric}, ${objective.greaterIsBetter ? 'more' : 'less'} is better.`),
    ],
  };
};

const curvesSection = (curves: readonly LearningCurve[]): CardSection | undefined => {
  const drawn = curves.filter(({ points }) => points.length > 1);
  return drawn.length === 0
    ? undefined
    : {
        title: 'Learning curves',
        content: [lineChart({ title: 'Value by step', series: drawn, x: 'step', y: 'value', wide: true })],
      };
};

const rankedSection = ({ ranked, objective }: TrainFacts): CardSection | undefined => {
  if (ranked === undefined) return undefined;
  const tables = splits.flatMap((split) => {
    const found = ranked[split];
    if (found === undefined) return [];
    return [
      subheading(`Worst on the ${split} rows`),
      predictionTable(found.worst),
      ...(found.best === undefined
        ? []
        : [collapsed(`Best on the ${split} rows`, [predictionTable(found.best)])]),
    ];
  });
  const { metric } = objective;
  return tables.length === 0
    ? undefined
    : {
        title: 'Worst and best predictions',
        content: [
          ...tables,
          note(
            `Error: the distance from the true number, or the probability given to other classes than the true one, whatever ${metric} measures.`,
          ),
        ],
      };
};

const predictionsSection = (ranked: TrainFacts['ranked']): CardSection | undefined => {
  const compared = splits.flatMap((split) => {
    const comparison = ranked?.[split]?.comparison;
    return comparison === undefined
      ? []
      : [[subheading(`On the ${split} rows`), comparedColumns(comparison)]];
  });
  return compared.length === 0
    ? undefined
    : { title: 'Profile of the predictions', content: [columns(compared)] };
};

const modelSection = ({ estimator, description, params, runId }: TrainFacts): CardSection => ({
  title: 'Model',
  content: [
    facts([
      ['Estimator', estimator],
      ['Training run', code(runId)],
    ]),
    ...(description === '' ? [] : [preformatted(description)]),
    ...(Object.keys(params).length === 0
      ? [note('The estimator has no parameters.')]
      : [
          table({
            columns: [{ title: 'Parameter' }, { title: 'Value' }],
            rows: Object.entries(params)
              .sort(([a], [b]) => (a < b ? -1 : 1))
              .map(([name, value]) => [code(name), code(valueText(value))]),
          }),
        ]),
  ],
});

/** A parameter as it would be written in a recipe. */
export const valueText = (value: unknown): string =>
  typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));

const signatureSection = ({ inputs, outputs }: TrainFacts['signature']): CardSection => ({
  title: 'Signature',
  content: [subheading('Inputs'), schemaTable(inputs), subheading('Outputs'), schemaTable(outputs)],
});

const onnxSection = ({ parity, serves }: OnnxFacts): CardSection => {
  const { added, reason, rows, tolerance, worst_difference: worst } = parity;
  const compared: readonly [string, string][] =
    rows === undefined
      ? []
      : [
          ['Held-out rows compared', formatNumber(rows)],
          ['Worst difference', formatNumber(worst)],
          ['Tolerance', formatNumber(tolerance)],
        ];
  return {
    title: 'ONNX form',
    content: [
      facts([
        ['In the package', added ? 'yes' : 'no'],
        ...(reason === undefined ? [] : [['Why not', reason] as const]),
        ...compared,
        [
          'Predictions come from',
          serves ? 'ONNX Runtime, without Python' : 'the original, in a Python worker',
        ],
      ]),
      note(
        'Differences are those of probabilities, or of numbers relative to their size where that is above 1.',
      ),
    ],
  };
};
