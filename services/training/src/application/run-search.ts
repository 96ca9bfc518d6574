import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asMillraceError, messageOf } from '@millrace/errors';
import { createSearch, type LossCurve, type Suggestion, shouldStop } from '@millrace/modeling';
import { paramTexts, prefixed, type RunDocument, trialRunId } from '../domain/run.ts';
import { lossOf, type Objective } from '../domain/task.ts';
import { paramsFor, type TrainPlan, type Tuning } from '../domain/train-plan.ts';
import { type FitContext, fit } from './fit.ts';
import type { JobHooks, TrainingContext } from './ports.ts';
import { stepMetrics } from './step-metrics.ts';

type Tracking = Pick<TrainingContext, 'runs' | 'history'>;

export interface SearchRequest {
  readonly plan: TrainPlan;
  readonly tuning: Tuning;
  readonly objective: Objective;
  readonly seed: number;
  /** The run that the trials belong to. */
  readonly parent: RunDocument;
  readonly maxParallel: number;
  readonly now: () => number;
  readonly onTrial: (progress: SearchProgress) => void;
}

export interface SearchProgress {
  readonly done: number;
  readonly limit: number;
  readonly best: Trial | undefined;
}

export interface Trial {
  readonly trial: number;
  readonly params: Readonly<Record<string, unknown>>;
  /** The objective on the validation rows. */
  readonly value: number;
}

export interface SearchResult {
  readonly best: Trial;
  readonly trials: number;
  readonly failed: number;
  readonly stoppedEarly: boolean;
}

type Outcome =
  | { readonly suggestion: Suggestion; readonly loss: number; readonly curve: LossCurve }
  | { readonly suggestion: Suggestion; readonly error: unknown };

/**
 * Tries settings in rounds of parallel trials; each trial is a run below the parent. What is tried depends on
 * the seed and the round size alone, so a repeated step repeats its trials under their run ids. A trial that
 * fails counts as failed; the search fails when a whole first round does.
 */
export const runSearch = async (
  context: FitContext,
  tracking: Tracking,
  request: SearchRequest,
  hooks: JobHooks,
): Promise<SearchResult> => {
  const { tuning, seed } = request;
  const search = createSearch({ ...tuning, seed });
  const roundSize = Math.min(tuning.parallelism, request.maxParallel);
  const curves: LossCurve[] = [];
  let best: Trial | undefined;
  let done = 0;
  let failed = 0;
  for (let round = search.suggest(roundSize); round.length > 0; round = search.suggest(roundSize)) {
    const finished = [...curves];
    const outcomes = await Promise.all(
      round.map(async (suggestion) => {
        const outcome = await runTrial(context, tracking, request, suggestion, finished, hooks);
        done += 1;
        best = better(request.objective, best, outcome);
        request.onTrial({ done, limit: search.limit, best });
        return outcome;
      }),
    );
    hooks.signal.throwIfAborted();
    for (const outcome of outcomes) {
      const loss = 'loss' in outcome ? outcome.loss : undefined;
      search.tell(outcome.suggestion.trial, loss);
      if ('curve' in outcome) curves.push(outcome.curve);
      else failed += 1;
    }
    const [first] = outcomes;
    if (best === undefined && first !== undefined && 'error' in first) throw first.error;
  }
  if (best === undefined) throw new Error('the search ended without a trial');
  return { best, trials: done, failed, stoppedEarly: search.stoppedEarly };
};

/** The lower loss; the earlier trial on a tie, so that the order of completion does not matter. */
const better = (objective: Objective, best: Trial | undefined, outcome: Outcome): Trial | undefined => {
  if ('error' in outcome) return best;
  const { suggestion, loss } = outcome;
  const sign = objective.greaterIsBetter ? -1 : 1;
  const found = { trial: suggestion.trial, params: suggestion.params, value: sign * loss };
  if (best === undefined) return found;
  const bestLoss = sign * best.value;
  return loss < bestLoss || (loss === bestLoss && found.trial < best.trial) ? found : best;
};

const runTrial = async (
  context: FitContext,
  { runs, history }: Tracking,
  request: SearchRequest,
  suggestion: Suggestion,
  finished: readonly LossCurve[],
  hooks: JobHooks,
): Promise<Outcome> => {
  const { plan, tuning, objective } = request;
  const run = trialRun(request, suggestion);
  await runs.start(run);
  const directory = join(context.workspace, `trial-${suggestion.trial}`);
  const curve: number[] = [];
  try {
    const params = paramsFor(plan, suggestion.params);
    const { metrics, steps } = await fit(
      context,
      {
        params,
        seed: request.seed,
        sampleFraction: tuning.sampleFraction,
        directory,
        keepModel: false,
        ...(tuning.medianStop
          ? {
              onStep: ({ validationLoss, trainingLoss }) => {
                curve.push(validationLoss ?? trainingLoss);
                return shouldStop(curve, finished) ? 'stop' : 'continue';
              },
            }
          : {}),
      },
      hooks,
    );
    const loss = lossOf(objective, metrics.validation);
    if (loss === undefined)
      throw new Error(`the metric ${objective.metric} is not defined on the validation rows`);
    await history.add(run.id, stepMetrics(steps, request.now()));
    await runs.finish(run.id, {
      params: paramTexts({ ...run.params, ...params }),
      metrics: { ...prefixed('training_', metrics.training), ...prefixed('val_', metrics.validation) },
    });
    return { suggestion, loss, curve };
  } catch (error) {
    // A step that was told to stop ends its trials at its own end, if at all.
    if (!hooks.signal.aborted) await runs.fail(run.id, messageOf(asMillraceError(error)), false);
    return { suggestion, error };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const trialRun = ({ parent, now }: SearchRequest, { trial, params }: Suggestion): RunDocument => ({
  ...parent,
  id: trialRunId(parent.id, trial),
  parentRunId: parent.id,
  name: `${parent.name}/trial-${trial + 1}`,
  params: { using: parent.params.using ?? '', ...paramTexts(params) },
  startedAt: new Date(now()).toISOString(),
});
