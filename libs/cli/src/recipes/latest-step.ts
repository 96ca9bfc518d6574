import type { MillraceClient } from '@millrace/client';
import { type Run, type Step, StepState } from '@millrace/contracts/pipeline';
import { FailedPrecondition, NotFound } from '@millrace/errors';
import { isStepDone } from '../views/steps-view.ts';

/** Runs of a project that are looked through, newest first. */
const lookedThrough = 100;

export interface RecipeRuns {
  readonly project: string;
  /** Only runs with this profile, where one is named. */
  readonly profile: string;
}

export const recentRuns = async (
  client: MillraceClient,
  { project, profile }: RecipeRuns,
): Promise<readonly Run[]> => {
  const { runs } = await client.pipeline.listRuns({ project, page: { limit: lookedThrough } });
  return profile === '' ? runs : runs.filter(({ recipe }) => recipe?.profile === profile);
};

export interface StepOfRun {
  readonly run: Run;
  readonly step: Step;
}

const hasEnded = (step: Step): boolean => isStepDone(step) || step.state === StepState.STEP_STATE_FAILED;

/** The step in the newest of the runs in which it ended, well or not; undefined when it never did. */
export const latestStep = (runs: readonly Run[], name: string): StepOfRun | undefined => {
  for (const run of runs) {
    const step = run.steps.find((candidate) => candidate.name === name && hasEnded(candidate));
    if (step !== undefined) return { run, step };
  }
  return undefined;
};

/** The same, for its outputs. Throws `NotFound` when it never ended, `FailedPrecondition` when it last failed. */
export const latestDoneStep = (runs: readonly Run[], name: string): StepOfRun => {
  const found = latestStep(runs, name);
  if (found === undefined) throw notRun(name);
  if (isStepDone(found.step)) return found;
  throw new FailedPrecondition(`step ${name} failed in ${found.run.id}: it has no artifacts`, {
    hint: `What went wrong: millrace inspect ${found.run.id}`,
  });
};

export const notRun = (step: string): NotFound =>
  new NotFound(`step ${step} has not been run`, { hint: `Run it: millrace recipes run --step ${step}` });
