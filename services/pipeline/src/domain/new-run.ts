import type { Actor } from '@millrace/contracts/common';
import type { ProjectSnapshot, RecipeContext } from '@millrace/contracts/step';
import { Invalid } from '@millrace/errors';
import type { PlannedStep } from '@millrace/recipe';
import type { Decided } from './effects.ts';
import type { PipelineRun, RunCause, RunStep, StepPlan } from './run.ts';

export interface NewRun {
  readonly id: string;
  readonly number: number;
  readonly project: ProjectSnapshot;
  readonly recipe: RecipeContext;
  readonly plan: readonly PlannedStep[];
  /** Step from which on everything runs anew; empty: reuse whatever can be. */
  readonly fromStep: string;
  /** Last step to run; empty: the last. */
  readonly toStep: string;
  readonly noCache: boolean;
  readonly submittedBy: Actor;
  readonly cause?: RunCause;
  readonly warnings: readonly string[];
  readonly traceId: string;
  /** Whether the trace is recorded; default it is. */
  readonly sampled?: boolean;
  readonly parentSpanId?: string;
  /** For the run and for each of its steps in order. */
  readonly spanIds: readonly string[];
}

/** A run as it begins. Throws `Invalid` when a step that it names is not in the plan, or they are in the wrong order. */
export const createRun = (request: NewRun, now: number): Decided => {
  const { from, to } = rangeOf(request);
  const [spanId = '', ...stepSpans] = request.spanIds;
  const run: PipelineRun = {
    id: request.id,
    number: request.number,
    projectName: request.project.project,
    profile: request.recipe.profile,
    project: request.project,
    recipe: request.recipe,
    state: 'queued',
    steps: request.plan.map((planned, index) => newStep(request, planned, index, { from, to }, stepSpans)),
    fromStep: request.fromStep,
    toStep: request.toStep,
    noCache: request.noCache,
    submittedBy: request.submittedBy,
    ...(request.cause === undefined ? {} : { cause: request.cause }),
    traceId: request.traceId,
    ...(request.sampled === false ? { sampled: false } : {}),
    spanId,
    ...(request.parentSpanId === undefined ? {} : { parentSpanId: request.parentSpanId }),
    createdAt: now,
    beganAt: now,
    warnings: request.warnings,
    refusedResults: 0,
    traced: false,
    open: 1,
    fingerprints: {},
    waitingFor: '',
    causedBy: request.cause?.by ?? '',
  };
  return { run, effects: [{ kind: 'run_requested' }] };
};

interface Range {
  readonly from: number;
  readonly to: number;
}

const rangeOf = ({ plan, fromStep, toStep }: NewRun): Range => {
  const names = plan.map(({ name }): string => name);
  const indexOf = (path: string, step: string, fallback: number): number => {
    if (step === '') return fallback;
    const index = names.indexOf(step);
    if (index >= 0) return index;
    throw Invalid.field(path, `the recipe has no step "${step}"`, {
      hint: `Its steps are ${names.join(', ')}.`,
    });
  };
  const from = indexOf('from_step', fromStep, plan.length);
  const to = indexOf('to_step', toStep, plan.length - 1);
  if (fromStep !== '' && from > to) {
    throw Invalid.field('from_step', `"${fromStep}" comes after "${toStep}"`);
  }
  return { from, to };
};

const newStep = (
  { noCache }: NewRun,
  planned: PlannedStep,
  index: number,
  { from, to }: Range,
  spanIds: readonly string[],
): RunStep => {
  const excluded = index > to;
  const forced = forcedReason(planned, index, from, noCache);
  return {
    plan: stepPlan(planned, forced),
    state: excluded ? 'skipped' : 'pending',
    excluded,
    attempt: 0,
    maxAttempts: planned.retries + 1,
    spanId: spanIds[index] ?? '',
    fingerprint: '',
    components: {},
    outputs: [],
    warnings: [],
    workMs: 0,
    approved: false,
    waitingFor: '',
  };
};

const forcedReason = (
  planned: PlannedStep,
  index: number,
  from: number,
  noCache: boolean,
): string | undefined => {
  if (noCache) return 'every step was asked to run anew';
  if (index >= from) return 'it was asked to run anew from here';
  return planned.uncacheable;
};

const stepPlan = (planned: PlannedStep, uncacheable: string | undefined): StepPlan => ({
  name: planned.name,
  service: planned.service,
  needs: planned.needs,
  config: planned.config,
  timeoutMs: planned.timeoutMs,
  retries: planned.retries,
  components: planned.components,
  readsChampion: planned.readsChampion,
  ...(uncacheable === undefined ? {} : { uncacheable }),
  ...(planned.cache.ttlMs === undefined ? {} : { cacheTtlMs: planned.cache.ttlMs }),
});
