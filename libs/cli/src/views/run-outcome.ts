import { type Run, RunState, StepState } from '@millrace/contracts/pipeline';
import { ErrorCode, MillraceError } from '@millrace/errors';
import { between, word } from '../format.ts';

/** Throws the error that a run ended with, so that the command's exit code tells. */
export const throwIfFailed = (run: Run): void => {
  if (run.state === RunState.RUN_STATE_SUCCEEDED || run.state === RunState.RUN_STATE_WAITING) return;
  if (run.state === RunState.RUN_STATE_CANCELLED) {
    throw new MillraceError(ErrorCode.cancelled, `${run.id} was cancelled`);
  }
  const step = run.steps.find(({ state }) => state === StepState.STEP_STATE_FAILED);
  const error = step?.error ?? run.error;
  throw new MillraceError(
    (error?.code ?? ErrorCode.internal) as ErrorCode,
    `${step?.name ?? run.id}: ${error?.message}`,
    {
      violations: error?.violations ?? [],
      ...(error?.stack === undefined ? {} : { details: { stack: error.stack } }),
      hint:
        error?.hint ||
        `Mend it and run again: what was done is reused. \`millrace resume ${run.id}\` goes on with the files as they were.`,
    },
  );
};

/** `succeeded in 12.3 s` */
export const outcomeOf = (run: Run): string =>
  `${word(run.state, 'RUN_STATE')} in ${between(run.createdAt, run.finishedAt ?? new Date().toISOString())}`;
