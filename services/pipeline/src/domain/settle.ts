import type { Decided, Effect } from './effects.ts';
import { changeStep, currentStep, type PipelineRun, type RunStep } from './run.ts';

/** Gives the run the state that its steps imply, and ends it when they are done or it was cancelled. */
export const settle = (run: PipelineRun, effects: readonly Effect[], now: number): Decided => {
  const step = currentStep(run);
  if (step === undefined) {
    const state = run.cancelledBy === undefined ? 'succeeded' : 'cancelled';
    return end(run, state, effects, now);
  }
  if (run.cancelledBy !== undefined && step.state !== 'running') {
    const ended = endCancelled(run, now);
    return { ...ended, effects: [...effects, ...ended.effects] };
  }
  const state = step.state === 'waiting' ? 'waiting' : 'running';
  return { run: { ...run, state, waitingFor: step.waitingFor }, effects };
};

/** Ends a run; what had not begun is skipped. */
export const end = (
  run: PipelineRun,
  state: 'succeeded' | 'failed' | 'cancelled',
  effects: readonly Effect[],
  now: number,
): Decided => {
  const steps = run.steps.map(
    (step): RunStep => (step.state === 'pending' ? { ...step, state: 'skipped' } : step),
  );
  return {
    run: { ...run, state, steps, finishedAt: now, waitingFor: '' },
    effects: [...effects, { kind: 'run_ended' }],
  };
};

/** Ends a run that was given up, with the step that it is at. */
export const endCancelled = (run: PipelineRun, now: number): Decided => {
  const step = currentStep(run);
  if (step === undefined) return end(run, 'cancelled', [], now);
  const { name } = step.plan;
  const changed = changeStep(run, name, {
    state: 'cancelled',
    finishedAt: now,
    waitingFor: '',
    retryAt: undefined,
  });
  return end(changed, 'cancelled', [{ kind: 'step_finished', step: name }], now);
};
