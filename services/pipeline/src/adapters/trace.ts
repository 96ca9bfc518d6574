import type { StepError } from '@millrace/contracts/step';
import { type EmittedSpan, emitSpan } from '@millrace/telemetry';
import type { PipelineRun, RunStep } from '../domain/run.ts';

/**
 * Emits the spans of a run that has ended. Their ids were chosen when it began and their times are in the store, so
 * that they are true whichever processes drove the run, and a repetition after a crash gives the same spans.
 */
export const emitRunTrace = (run: PipelineRun): void => {
  for (const span of spansOf(run)) emitSpan(span);
};

export const spansOf = (run: PipelineRun): readonly EmittedSpan[] => {
  const end = run.finishedAt ?? run.beganAt;
  const own: EmittedSpan = {
    ...traceOf(run),
    spanId: run.spanId,
    ...(run.parentSpanId === undefined ? {} : { parentSpanId: run.parentSpanId }),
    name: 'pipeline run',
    start: run.beganAt,
    end,
    attributes: {
      'millrace.pipeline_run.id': run.id,
      'millrace.pipeline_run.number': run.number,
      'millrace.pipeline_run.state': run.state,
      'millrace.pipeline_run.caused_by': run.causedBy,
      'millrace.project.name': run.projectName,
      'millrace.recipe.profile': run.profile,
    },
    ...(run.state === 'failed' ? failureOf(run.error) : {}),
  };
  return [own, ...run.steps.filter((step) => wasDone(run, step)).map((step) => stepSpan(run, step, end))];
};

const traceOf = ({ traceId, sampled }: PipelineRun) => ({
  traceId,
  ...(sampled === undefined ? {} : { sampled }),
});

const failureOf = (error: StepError | undefined): Pick<EmittedSpan, 'error' | 'errorType'> => ({
  error: error?.message ?? 'failed',
  errorType: error?.code || 'internal',
});

/** Whether the step was worked on since the run began or was resumed; earlier ones have their spans. */
const wasDone = (run: PipelineRun, step: RunStep): boolean =>
  step.startedAt !== undefined && step.startedAt >= run.beganAt;

const stepSpan = (run: PipelineRun, step: RunStep, end: number): EmittedSpan => ({
  ...traceOf(run),
  spanId: step.spanId,
  parentSpanId: run.spanId,
  name: `pipeline step ${step.plan.name}`,
  start: step.startedAt ?? run.beganAt,
  end: step.finishedAt ?? end,
  attributes: {
    'millrace.pipeline_run.id': run.id,
    'millrace.step.name': step.plan.name,
    'millrace.step.state': step.state,
    'millrace.step.attempt': step.attempt,
    'millrace.step.cache.hit': step.cache?.hit ?? false,
    'millrace.step.cache.reason': step.cache?.reason ?? '',
  },
  ...(step.state === 'failed' ? failureOf(step.error) : {}),
});
