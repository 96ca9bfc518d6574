import type { Project as ProjectView, Run, Step, Trigger as TriggerView } from '@millrace/contracts/pipeline';
import { RunState, StepState } from '@millrace/contracts/pipeline';
import type { Project } from '../domain/project.ts';
import type {
  RunState as DomainRunState,
  StepState as DomainStepState,
  PipelineRun,
  RunStep,
} from '../domain/run.ts';
import type { Trigger, TriggerCondition } from '../domain/trigger.ts';

const runStates: Record<DomainRunState, RunState> = {
  queued: RunState.RUN_STATE_QUEUED,
  running: RunState.RUN_STATE_RUNNING,
  waiting: RunState.RUN_STATE_WAITING,
  succeeded: RunState.RUN_STATE_SUCCEEDED,
  failed: RunState.RUN_STATE_FAILED,
  cancelled: RunState.RUN_STATE_CANCELLED,
};

const stepStates: Record<DomainStepState, StepState> = {
  pending: StepState.STEP_STATE_PENDING,
  running: StepState.STEP_STATE_RUNNING,
  waiting: StepState.STEP_STATE_WAITING,
  succeeded: StepState.STEP_STATE_SUCCEEDED,
  cached: StepState.STEP_STATE_CACHED,
  failed: StepState.STEP_STATE_FAILED,
  cancelled: StepState.STEP_STATE_CANCELLED,
  skipped: StepState.STEP_STATE_SKIPPED,
};

/** The state of a run in the store's words; undefined for no particular one. */
export const domainRunState = (state: RunState): DomainRunState | undefined =>
  (Object.keys(runStates) as DomainRunState[]).find((key) => runStates[key] === state);

const isoTime = (at: number | undefined): string | undefined =>
  at === undefined ? undefined : new Date(at).toISOString();

export const stepView = (step: RunStep): Step => ({
  name: step.plan.name,
  service: step.plan.service,
  state: stepStates[step.state],
  attempt: step.attempt,
  fingerprint: step.fingerprint,
  cache: step.cache,
  outputs: [...step.outputs],
  summary: step.summary,
  warnings: [...step.warnings],
  error: step.error,
  startedAt: isoTime(step.startedAt),
  finishedAt: isoTime(step.finishedAt),
  waitingFor: step.waitingFor,
  workMs: step.workMs,
  maxAttempts: step.maxAttempts,
});

export const runView = (run: PipelineRun): Run => ({
  id: run.id,
  number: run.number,
  project: run.project,
  recipe: run.recipe,
  state: runStates[run.state],
  steps: run.steps.map(stepView),
  fromStep: run.fromStep,
  toStep: run.toStep,
  submittedBy: run.submittedBy,
  causedBy: run.cause === undefined ? '' : `${run.cause.by}:${run.cause.on}`,
  traceId: run.traceId,
  createdAt: isoTime(run.createdAt),
  startedAt: isoTime(run.startedAt),
  finishedAt: isoTime(run.finishedAt),
  error: run.error,
  warnings: [...run.warnings],
  refusedResults: run.refusedResults,
});

export const projectView = (project: Project): ProjectView => ({
  name: project.name,
  snapshot: project.snapshot,
  revision: project.revision,
  defaultProfile: project.defaultProfile,
  pushedAt: isoTime(project.pushedAt),
  latestRunId: project.latestRunId,
});

export const triggerView = (trigger: Trigger): TriggerView => ({
  name: trigger.name,
  project: trigger.project,
  profile: trigger.profile,
  condition: conditionView(trigger.condition),
  enabled: trigger.enabled,
  coolDownSeconds: trigger.coolDownMs / 1000,
  nextFireAt: trigger.enabled ? isoTime(trigger.nextFireAt) : undefined,
  lastFiredAt: isoTime(trigger.lastFiredAt),
  lastRunId: trigger.lastRunId,
  fired: trigger.fired,
  history: trigger.history.toReversed().map(({ at, on, outcome, detail }) => ({
    at: isoTime(at),
    occasion: on,
    outcome,
    detail,
  })),
});

const conditionView = (condition: TriggerCondition): TriggerView['condition'] => {
  switch (condition.kind) {
    case 'cron':
      return { $case: 'cron', value: { expression: condition.expression, timeZone: condition.timeZone } };
    case 'event':
      return { $case: 'event', value: { subject: condition.subject, equals: { ...condition.equals } } };
    case 'dataset':
      return { $case: 'dataset', value: { dataset: condition.dataset } };
  }
};

/** Undefined when the request names no condition. */
export const conditionOf = (condition: TriggerView['condition']): TriggerCondition | undefined => {
  switch (condition?.$case) {
    case 'cron':
      return { kind: 'cron', ...condition.value };
    case 'event':
      return { kind: 'event', ...condition.value };
    case 'dataset':
      return { kind: 'dataset', ...condition.value };
    default:
      return undefined;
  }
};
