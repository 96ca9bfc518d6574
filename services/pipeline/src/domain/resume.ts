import type { Decided } from './effects.ts';
import type { RunInput } from './inputs.ts';
import type { PipelineRun, RunStep } from './run.ts';
import { settle } from './settle.ts';

/** The same run goes on: what is done stays done, and attempts count on, so that late results are still refused. */
export const onResume = (
  run: PipelineRun,
  { actor, spanIds }: Extract<RunInput, { kind: 'resume' }>,
  now: number,
): Decided | undefined => {
  if (run.state !== 'failed' && run.state !== 'cancelled') return undefined;
  const [spanId = run.spanId, ...stepSpans] = spanIds;
  const { error: _, cancelledBy: __, finishedAt: ___, ...rest } = run;
  const resumed: PipelineRun = {
    ...rest,
    state: 'running',
    steps: run.steps.map((step, index) => resumeStep(step, stepSpans[index] ?? step.spanId)),
    spanId,
    parentSpanId: run.spanId,
    beganAt: now,
    traced: false,
    open: 1,
  };
  return settle(resumed, [{ kind: 'run_resumed', actor }], now);
};

const resumeStep = (step: RunStep, spanId: string): RunStep => {
  if (step.state === 'succeeded' || step.state === 'cached' || step.excluded) return step;
  return {
    plan: step.plan,
    state: 'pending',
    excluded: false,
    attempt: step.attempt,
    maxAttempts: step.attempt + step.plan.retries + 1,
    spanId,
    fingerprint: '',
    components: {},
    outputs: [],
    warnings: [],
    workMs: 0,
    approved: false,
    waitingFor: '',
  };
};
