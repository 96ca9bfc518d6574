import type { StepError } from '@millrace/contracts/step';
import type { Decided, Effect } from './effects.ts';
import type { CacheLookup, RunInput, StepReport } from './inputs.ts';
import { onResume } from './resume.ts';
import { changeStep, currentStep, findStep, isEnded, type PipelineRun, type RunStep } from './run.ts';
import { end, endCancelled, settle } from './settle.ts';

/** How patient the pipeline is, in milliseconds. */
export interface Patience {
  /** Added to twice a step's timeout: a worker enforces the timeout itself, from when it begins, so this is for lost ones. */
  readonly backstopMs: number;
  /** How long a worker may take to stop what it does for a cancelled run. */
  readonly cancelMs: number;
  /** Before the second attempt; doubles with each further one. */
  readonly retryMs: number;
  readonly maxRetryMs: number;
}

export const defaultPatience: Patience = {
  backstopMs: 60_000,
  cancelMs: 15_000,
  retryMs: 1_000,
  maxRetryMs: 60_000,
};

/**
 * What becomes of a run when something happens to it; undefined when nothing does. Pure: the same run, input
 * and time give the same decision, so it may be repeated after a lost race. `now` is in milliseconds since the epoch.
 */
export const decide = (
  run: PipelineRun,
  input: RunInput,
  now: number,
  patience: Patience = defaultPatience,
): Decided | undefined => {
  switch (input.kind) {
    case 'begin':
      return run.state === 'queued'
        ? settle({ ...run, state: 'running', startedAt: now }, [], now)
        : undefined;
    case 'cache_consulted':
      return onCacheConsulted(run, input.lookup, now, patience);
    case 'approval_known':
      return onApprovalKnown(run, input, now);
    case 'step_reported':
      return onStepReported(run, input.report, now, patience);
    case 'tick':
      return onTick(run, now, patience);
    case 'cancel':
      return onCancel(run, input, now, patience);
    case 'resume':
      return onResume(run, input, now);
    case 'traced':
      return isEnded(run) && !run.traced
        ? { run: { ...run, traced: true, open: 0 }, effects: [] }
        : undefined;
  }
};

const onCacheConsulted = (
  run: PipelineRun,
  lookup: CacheLookup,
  now: number,
  patience: Patience,
): Decided | undefined => {
  const step = atStep(run, lookup.step);
  if (step?.state !== 'pending' || step.cache !== undefined) return undefined;
  const known = {
    cache: lookup.decision,
    components: lookup.components,
    fingerprint: lookup.fingerprint,
    startedAt: step.startedAt ?? now,
  };
  if (!lookup.decision.hit || lookup.reusable === undefined) {
    return dispatch(changeStep(run, lookup.step, known), lookup.step, now, patience);
  }
  const changed = changeStep(run, lookup.step, {
    ...known,
    ...lookup.reusable,
    state: 'cached',
    finishedAt: now,
  });
  return settle(remember(changed, lookup.step), [{ kind: 'step_finished', step: lookup.step }], now);
};

/** Hands the next attempt of a step to its service. */
const dispatch = (run: PipelineRun, name: string, now: number, patience: Patience): Decided => {
  const step = findStep(run, name) as RunStep;
  const { timeoutMs } = step.plan;
  const changed = changeStep(run, name, {
    state: 'running',
    attempt: step.attempt + 1,
    retryAt: undefined,
    error: undefined,
    deadlineAt: timeoutMs === 0 ? undefined : now + 2 * timeoutMs + patience.backstopMs,
  });
  return settle(changed, [{ kind: 'step_dispatched', step: name }], now);
};

const onApprovalKnown = (
  run: PipelineRun,
  { step: name, subject, verdict, reason }: Extract<RunInput, { kind: 'approval_known' }>,
  now: number,
): Decided | undefined => {
  const step = atStep(run, name);
  if (step === undefined || step.approved || (step.state !== 'pending' && step.state !== 'waiting'))
    return undefined;
  if (verdict === 'rejected') {
    return fail(run, name, precondition(`${subject} was refused: ${reason}`), now);
  }
  if (verdict !== 'pending') {
    return settle(changeStep(run, name, { state: 'pending', approved: true, waitingFor: '' }), [], now);
  }
  if (step.state === 'waiting') return undefined;
  const changed = changeStep(run, name, {
    state: 'waiting',
    waitingFor: `approval of ${subject}`,
    startedAt: now,
  });
  return settle(changed, [{ kind: 'step_waiting', step: name }], now);
};

const precondition = (message: string): StepError => ({
  code: 'failed_precondition',
  message,
  hint: '',
  violations: [],
  retryable: false,
});

const onStepReported = (
  run: PipelineRun,
  report: StepReport,
  now: number,
  patience: Patience,
): Decided | undefined => {
  const step = atStep(run, report.step);
  if (step?.state !== 'running' || step.attempt !== report.attempt) return refuse(run);
  const reported = changeStep(run, report.step, {
    outputs: report.outputs,
    summary: report.summary ?? {},
    warnings: report.warnings,
    workMs: report.workMs,
    deadlineAt: undefined,
  });
  if (report.error === undefined) return succeed(reported, report.step, now);
  return onStepFailed(reported, report.step, report.error, now, patience);
};

/** A report of an attempt that is not the current one: a zombie, or a repetition. It changes nothing but the count. */
const refuse = (run: PipelineRun): Decided => ({
  run: { ...run, refusedResults: run.refusedResults + 1 },
  effects: [],
});

const succeed = (run: PipelineRun, name: string, now: number): Decided => {
  const changed = changeStep(run, name, {
    state: 'succeeded',
    finishedAt: now,
    madeAt: now,
    madeBy: run.id,
  });
  return settle(remember(changed, name), [{ kind: 'step_finished', step: name }], now);
};

/** Lets later runs find the outputs. */
const remember = (run: PipelineRun, name: string): PipelineRun => ({
  ...run,
  fingerprints: { ...run.fingerprints, [name]: findStep(run, name)?.fingerprint ?? '' },
});

const onStepFailed = (
  run: PipelineRun,
  name: string,
  error: StepError,
  now: number,
  patience: Patience,
): Decided => {
  if (run.cancelledBy !== undefined) return endCancelled(run, now);
  const step = findStep(run, name) as RunStep;
  if (!error.retryable || step.attempt >= step.maxAttempts) return fail(run, name, error, now);
  const delay = Math.min(patience.maxRetryMs, patience.retryMs * 2 ** (attemptsSinceBegin(step) - 1));
  return settle(changeStep(run, name, { state: 'pending', error, retryAt: now + delay }), [], now);
};

/** A resumed step begins its patience anew. */
const attemptsSinceBegin = (step: RunStep): number =>
  Math.max(1, step.attempt - (step.maxAttempts - step.plan.retries - 1));

const fail = (run: PipelineRun, name: string, error: StepError, now: number): Decided => {
  const changed = changeStep(run, name, { state: 'failed', error, finishedAt: now, waitingFor: '' });
  return end({ ...changed, error }, 'failed', [{ kind: 'step_finished', step: name }], now);
};

const onTick = (run: PipelineRun, now: number, patience: Patience): Decided | undefined => {
  if (isEnded(run)) return undefined;
  const step = currentStep(run);
  if (step === undefined) return undefined;
  const { name } = step.plan;
  if (step.state === 'running' && step.deadlineAt !== undefined && step.deadlineAt <= now) {
    const silent = changeStep(run, name, { deadlineAt: undefined });
    return onStepFailed(silent, name, lost(step), now, patience);
  }
  if (step.state === 'pending' && step.retryAt !== undefined && step.retryAt <= now) {
    return dispatch(run, name, now, patience);
  }
  return undefined;
};

const lost = ({ plan, attempt }: RunStep): StepError => ({
  code: 'timed_out',
  message: `nothing was heard of attempt ${attempt} of ${plan.name} long after its timeout`,
  hint: `Check that the service ${plan.service} runs, and that the step's timeout leaves it enough time.`,
  violations: [],
  retryable: true,
});

const onCancel = (
  run: PipelineRun,
  { actor }: Extract<RunInput, { kind: 'cancel' }>,
  now: number,
  patience: Patience,
): Decided | undefined => {
  if (isEnded(run) || run.cancelledBy !== undefined) return undefined;
  const asked: PipelineRun = { ...run, cancelledBy: actor };
  const request: Effect = { kind: 'cancel_requested', actor };
  const step = currentStep(run);
  if (step?.state !== 'running') {
    const ended = endCancelled(asked, now);
    return { ...ended, effects: [request, ...ended.effects] };
  }
  const deadlineAt = Math.min(step.deadlineAt ?? Number.POSITIVE_INFINITY, now + patience.cancelMs);
  return { run: changeStep(asked, step.plan.name, { deadlineAt }), effects: [request] };
};

/** The step if the run is at it and goes on. */
const atStep = (run: PipelineRun, name: string): RunStep | undefined => {
  const step = currentStep(run);
  return !isEnded(run) && step?.plan.name === name ? step : undefined;
};
