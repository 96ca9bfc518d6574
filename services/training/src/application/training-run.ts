import { Artifact } from '@millrace/contracts/step';
import { RunStatus } from '@millrace/contracts/training';
import { asMillraceError } from '@millrace/errors';
import { isWorkerStopping, type StepContext, type StepResult, withCard } from '@millrace/service-kit';
import type { RunDocument } from '../domain/run.ts';
import type { RunOutcome, TrainingContext } from './ports.ts';
import { inWorkspace } from './workspace.ts';

/** A run as it begins, and the experiment that it belongs to. */
export interface BegunRun {
  readonly experimentName: string;
  readonly run: RunDocument;
}

/**
 * Does the work of a train step under its tracking run. The run's id follows from the attempt, so a command that is
 * delivered again repairs or repeats its run and makes no second one; one that has finished is answered as it was.
 */
export const inTrainingRun = async (
  context: TrainingContext,
  step: StepContext,
  { experimentName, run: begun }: BegunRun,
  work: (run: RunDocument, directory: string) => Promise<RunOutcome>,
): Promise<StepResult> => {
  await context.experiments.ensure(experimentName);
  const run = await context.runs.start(begun);
  if (run.status === RunStatus.RUN_STATUS_FINISHED) return resultOf(run);
  try {
    const outcome = await inWorkspace(context.tempDir, (directory) => work(run, directory));
    return resultOf(await context.runs.finish(run.id, outcome));
  } catch (thrown) {
    const cause = step.signal.aborted ? step.signal.reason : thrown;
    // A worker that stops leaves the run to the one that goes on with it.
    if (!isWorkerStopping(cause))
      await context.runs.fail(run.id, asMillraceError(cause).message, step.signal.aborted);
    throw thrown;
  }
};

/** What a run gains at its end, as its card shows it. */
export type CardedOutcome = RunOutcome & Required<Pick<RunOutcome, 'artifacts' | 'warnings'>>;

/** The outcome with the card of the step, which is drawn of all that the step gives. */
export const withRunCard = async (
  step: StepContext,
  blobs: TrainingContext['blobs'],
  { artifacts, warnings, ...outcome }: CardedOutcome,
  draw: (made: StepResult) => Promise<string>,
): Promise<RunOutcome> => {
  const shown = artifacts.filter(({ kind }) => kind !== 'transform');
  const carded = await withCard(step, blobs, { outputs: shown, warnings }, draw);
  const cards = carded.outputs.slice(shown.length).map((card) => Artifact.fromPartial(card));
  return { ...outcome, artifacts: [...artifacts, ...cards], warnings: carded.warnings ?? [] };
};

/** The output that names the run. */
export const runArtifact = ({ id, experimentId, name }: RunDocument) => ({
  name: 'training_run',
  kind: 'training_run',
  id,
  digest: '',
  size: 0,
  mediaType: '',
  attributes: { experimentId, name },
});

const resultOf = (run: RunDocument): StepResult => ({
  outputs: run.artifacts.filter(({ kind }) => kind !== 'transform'),
  summary: { ...run.summary, runId: run.id },
  warnings: run.warnings,
});
