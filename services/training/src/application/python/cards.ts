import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { environmentFacts, type PredictionRows } from '@millrace/cards';
import { answersAsOnnx, type Signature } from '@millrace/modeling';
import type { StepContext, StepResult } from '@millrace/service-kit';
import { describeParquet } from '../../card/describe-parquet.ts';
import { trainCard } from '../../card/train-card.ts';
import { leaderboardOf, shownSignature, trialsOf } from '../../card/train-facts.ts';
import { transformCard } from '../../card/transform-card.ts';
import type { SearchFacts, TrialFacts } from '../../card/tuning-section.ts';
import { finiteOnly, type RunDocument } from '../../domain/run.ts';
import type { Objective } from '../../domain/task.ts';
import type { TrainingContext } from '../ports.ts';
import type { Trained } from './train.ts';
import type { TransformOutput } from './transform.ts';

/** The card of a transform step; `table` is the Parquet file of the transformed training rows. */
export const pythonTransformCard = async (
  { command, signal }: Pick<StepContext, 'command' | 'signal'>,
  using: string,
  fitted: TransformOutput,
  table: string,
  made: StepResult,
): Promise<string> =>
  transformCard(
    command,
    {
      using,
      rows: fitted.rows.training,
      description: fitted.description,
      inputSchema: fitted.input_schema,
      outputSchema: fitted.output_schema,
      transformed: await describeParquet(table, {
        profile: command.config?.skip_data_profiling !== true,
        signal,
      }),
    },
    made,
  );

export interface TrainCardInput {
  readonly run: RunDocument;
  readonly objective: Objective;
  readonly customMetrics: readonly string[];
  readonly trained: Trained;
  /** The model directory. */
  readonly model: string;
}

/** The card of a train step. Its trials are recorded already. */
export const pythonTrainCard = async (
  context: TrainingContext,
  { command }: Pick<StepContext, 'command'>,
  { run, objective, customMetrics, trained, model }: TrainCardInput,
  made: StepResult,
): Promise<string> => {
  const { class: name, module } = trained.estimator;
  const metrics = {
    training: finiteOnly(trained.metrics.training),
    validation: finiteOnly(trained.metrics.validation),
  };
  const metric = `val_${objective.metric}`;
  const search = await searchFacts(context, run, objective, trained, command.config?.tuning);
  const signature = JSON.parse(await readFile(join(model, 'signature.json'), 'utf8')) as Signature;
  return trainCard(
    command,
    {
      runId: run.id,
      estimator: `${module}.${name}`,
      description: trained.description,
      params: trained.params,
      objective,
      customMetrics,
      metrics,
      rows: trained.rows,
      leaderboard: await leaderboardOf(context, run, metric, metrics.validation[objective.metric]),
      ...(search === undefined ? {} : { search }),
      curves: [],
      ranked: { training: { worst: predictionRows(trained.worst), best: predictionRows(trained.best) } },
      signature: shownSignature(signature),
      environment: environmentFacts(run.environment),
      ...(trained.onnx === undefined
        ? {}
        : { onnx: { parity: trained.onnx, serves: answersAsOnnx(trained.onnx, signature) } }),
    },
    made,
  );
};

const searchFacts = async (
  context: TrainingContext,
  run: RunDocument,
  objective: Objective,
  trained: Trained,
  tuning: { algorithm?: string; parameters?: Record<string, unknown>; max_trials?: number } | undefined,
): Promise<SearchFacts | undefined> => {
  if (trained.trials.length === 0) return undefined;
  const space = tuning?.parameters ?? {};
  const trials = await trialsOf(context, run.id, `val_${objective.metric}`, Object.keys(space));
  return {
    algorithm: tuning?.algorithm ?? 'hyperopt.rand.suggest',
    space,
    trials,
    best: { number: bestOf(trials, objective)?.number ?? 0, params: trained.best_parameters ?? {} },
    stoppedEarly: trials.length < (tuning?.max_trials ?? 0),
  };
};

const bestOf = (trials: readonly TrialFacts[], { greaterIsBetter }: Objective): TrialFacts | undefined =>
  trials
    .filter(({ value }) => value !== undefined)
    .toSorted((a, b) => (greaterIsBetter ? -1 : 1) * ((a.value ?? 0) - (b.value ?? 0)))[0];

/** Rows as the job ranked them; the first of them names the columns. */
const predictionRows = (rows: Trained['worst']): PredictionRows => {
  const columns = Object.keys(rows[0] ?? {});
  return {
    columns: columns.map((name) => (name === 'absolute_error' ? 'error' : name)),
    rows: rows.map((row) => columns.map((name) => cellOf(row[name]))),
  };
};

const cellOf = (value: unknown): string | number | boolean | null =>
  value === null || ['string', 'number', 'boolean'].includes(typeof value)
    ? (value as string | number | boolean | null)
    : JSON.stringify(value);
