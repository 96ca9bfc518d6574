import { finiteOnly, pythonParamTexts, type RunDocument, trialRunId } from '../../domain/run.ts';
import type { TrainingContext } from '../ports.ts';

/** One setting that the search of a Python recipe tried. */
export interface Trial {
  readonly params: Readonly<Record<string, unknown>>;
  /** On the validation rows, by their bare names, as in MLflow, and with `val_`, as those of a run. */
  readonly metrics: Readonly<Record<string, unknown>>;
  readonly seconds: number;
  readonly status: 'succeeded' | 'failed';
  /** Why it failed. */
  readonly error?: string;
}

/** Each trial as a run below its parent. The ids follow from the parent's, so a repeated step repeats its trials. */
export const recordTrials = async (
  { runs, now }: Pick<TrainingContext, 'runs' | 'now'>,
  parent: RunDocument,
  trials: readonly Trial[],
): Promise<void> => {
  for (const [index, trial] of trials.entries()) {
    const run = await runs.start({
      ...parent,
      id: trialRunId(parent.id, index),
      parentRunId: parent.id,
      name: `${parent.name}/trial-${index + 1}`,
      params: { using: parent.params.using ?? '', ...pythonParamTexts(trial.params) },
      startedAt: new Date(now() - trial.seconds * 1000).toISOString(),
    });
    if (trial.status === 'failed') await runs.fail(run.id, trial.error ?? '', false);
    else await runs.finish(run.id, { metrics: finiteOnly(trial.metrics) });
  }
};
