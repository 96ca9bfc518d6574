import type { Actor } from '@millrace/contracts/common';
import { FailedPrecondition, NotFound } from '@millrace/errors';
import type { RunInput } from '../domain/inputs.ts';
import type { PipelineRun } from '../domain/run.ts';
import { applyInput } from './apply-input.ts';
import type { PipelineContext } from './context.ts';

/** Throws `NotFound`. */
export const getRun = async ({ collections }: PipelineContext, id: string): Promise<PipelineRun> => {
  const run = (await collections.runs.get(id))?.document;
  if (run === undefined) throw new NotFound(`there is no pipeline run ${id}`);
  return run;
};

/**
 * Gives a run up. The worker of the current step is told to stop; the run is `cancelled` when it has, or after a while.
 * Cancelling twice is harmless. Throws `FailedPrecondition` when the run has ended otherwise.
 */
export const cancelRun = (context: PipelineContext, id: string, actor: Actor): Promise<PipelineRun> =>
  change(
    context,
    id,
    { kind: 'cancel', actor },
    (run) => run.state === 'cancelled' || run.cancelledBy !== undefined,
  );

/** Goes on with a failed or cancelled run, as the same run, from the step where it ended. */
export const resumeRun = async (context: PipelineContext, id: string, actor: Actor): Promise<PipelineRun> => {
  const { steps } = await getRun(context, id);
  const spanIds = Array.from({ length: steps.length + 1 }, () => context.newSpanId());
  return change(context, id, { kind: 'resume', actor, spanIds }, () => false);
};

const change = async (
  context: PipelineContext,
  id: string,
  input: RunInput,
  isDone: (run: PipelineRun) => boolean,
): Promise<PipelineRun> => {
  const changed = await applyInput(context, id, input);
  if (changed !== undefined) return changed.document;
  const run = await getRun(context, id);
  if (isDone(run)) return run;
  const wanted = input.kind === 'cancel' ? 'cancelled' : 'resumed';
  throw new FailedPrecondition(`pipeline run ${id} is ${run.state} and cannot be ${wanted}`);
};
