import { currentStep, isEnded, type PipelineRun, type RunStep } from './run.ts';

/** What a run needs from outside before it can go on; the answer comes back to `decide`. */
export type NextAction =
  | { readonly kind: 'begin' }
  | { readonly kind: 'ask_approval'; readonly step: RunStep }
  | { readonly kind: 'consult_cache'; readonly step: RunStep }
  /** Time passed that the run was waiting for. */
  | { readonly kind: 'tick' }
  | { readonly kind: 'emit_trace' };

/** The one thing to do for a run now; undefined when it waits for a worker, a person or a time. */
export const nextAction = (run: PipelineRun, now: number): NextAction | undefined => {
  if (isEnded(run)) return run.traced ? undefined : { kind: 'emit_trace' };
  if (run.state === 'queued') return { kind: 'begin' };
  const step = currentStep(run);
  if (step === undefined) return undefined;
  const due = step.deadlineAt ?? step.retryAt;
  if (due !== undefined) return due <= now ? { kind: 'tick' } : undefined;
  if (step.state !== 'pending') return undefined;
  if (needsApproval(step) && !step.approved) return { kind: 'ask_approval', step };
  return step.cache === undefined ? { kind: 'consult_cache', step } : undefined;
};

/** The step that brings a model into service waits for whoever the registry's policy names. */
const needsApproval = (step: RunStep): boolean => step.plan.name === 'deploy';
