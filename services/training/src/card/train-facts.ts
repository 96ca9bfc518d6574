import { RunStatus } from '@millrace/contracts/training';
import type { FitStep, Signature } from '@millrace/modeling';
import type { TrainingContext } from '../application/ports.ts';
import type { RunDocument } from '../domain/run.ts';
import type { LeaderboardRun } from './leaderboard.ts';
import type { LearningCurve } from './train-card.ts';
import type { TrialFacts } from './tuning-section.ts';

const mostRuns = 1_000;

/** This run, then the finished ones of its experiment, the newest first. */
export const leaderboardOf = async (
  { runs }: Pick<TrainingContext, 'runs'>,
  run: RunDocument,
  metric: string,
  value: number | undefined,
): Promise<LeaderboardRun[]> => {
  const { items } = await runs.find({
    filter: {
      and: [
        { field: 'experimentId', op: 'eq', value: run.experimentId },
        { field: 'parentRunId', op: 'eq', value: '' },
        { field: 'status', op: 'eq', value: RunStatus.RUN_STATUS_FINISHED },
      ],
    },
    sort: { field: 'startedAt', direction: 'desc' },
    limit: mostRuns,
  });
  const entry = ({ id, name, params, startedAt }: RunDocument, found: number | undefined) => ({
    id,
    name,
    estimator: params.using ?? '',
    startedAt,
    ...(found === undefined ? {} : { value: found }),
  });
  const others = items.filter(({ id }) => id !== run.id);
  return [entry(run, value), ...others.map((other) => entry(other, other.metrics[metric]))];
};

/** The trials below a run, in the order that they were tried. */
export const trialsOf = async (
  { runs }: Pick<TrainingContext, 'runs'>,
  runId: string,
  metric: string,
  searched: readonly string[],
): Promise<TrialFacts[]> => {
  const { items } = await runs.find({
    filter: { field: 'parentRunId', op: 'eq', value: runId },
    sort: { field: 'startedAt', direction: 'asc' },
    limit: mostRuns,
  });
  return items.map((trial) => trialFacts(trial, metric, searched)).sort((a, b) => a.number - b.number);
};

const trialFacts = (
  { name, params, metrics, status, error }: RunDocument,
  metric: string,
  searched: readonly string[],
): TrialFacts => {
  const value = metrics[metric];
  return {
    number: Number(/(\d+)$/.exec(name)?.[1] ?? 0),
    params: Object.fromEntries(
      searched.flatMap((key) => (params[key] === undefined ? [] : [[key, plainValue(params[key])]])),
    ),
    status: status === RunStatus.RUN_STATUS_FINISHED ? 'finished' : 'failed',
    ...(value === undefined ? {} : { value }),
    ...(error === '' ? {} : { error }),
  };
};

/** Params are tracked as text; numbers and truth values were written as JSON. */
const plainValue = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
};

/** Losses by step of an iterative estimator. */
export const curvesOf = (steps: readonly FitStep[]): LearningCurve[] => {
  const validation = steps.flatMap(({ step, validationLoss }): (readonly [number, number])[] =>
    validationLoss === undefined ? [] : [[step, validationLoss]],
  );
  return [
    { name: 'training_loss', points: steps.map(({ step, trainingLoss }) => [step, trainingLoss] as const) },
    ...(validation.length === 0 ? [] : [{ name: 'val_loss', points: validation }]),
  ];
};

/** What the model takes and gives, as tables show it. */
export const shownSignature = ({ inputs, output }: Signature) => ({
  inputs: inputs.map(({ name, type, nullable }) => ({ name, type, nullable })),
  outputs: [{ name: output.name, type: output.type }],
});
