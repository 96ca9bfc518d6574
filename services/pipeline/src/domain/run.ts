import type { Actor } from '@millrace/contracts/common';
import type { Artifact, ProjectSnapshot, RecipeContext, StepError } from '@millrace/contracts/step';

export type RunState = 'queued' | 'running' | 'waiting' | 'succeeded' | 'failed' | 'cancelled';

export type StepState =
  | 'pending'
  | 'running'
  | 'waiting'
  | 'succeeded'
  | 'cached'
  | 'failed'
  | 'cancelled'
  | 'skipped';

export interface CacheDecision {
  readonly hit: boolean;
  readonly reason: string;
  /** Run that made the outputs that are reused; empty for a miss. */
  readonly sourceRunId: string;
}

/** What a step's outcome depends on, by name: `config.split_ratios`, `code.steps/train.ts`, `input.split.train`. */
export type Components = Readonly<Record<string, string>>;

/** What the plan says of a step; never changes during the run. */
export interface StepPlan {
  readonly name: string;
  readonly service: string;
  readonly needs: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  /** Attempts after the first. */
  readonly retries: number;
  readonly components: Components;
  /** Its outcome also depends on which model version serves. */
  readonly readsChampion: boolean;
  /** Why outputs of an equal step must not be reused; absent when they may. */
  readonly uncacheable?: string;
  /** Outputs older than this are not reused. */
  readonly cacheTtlMs?: number;
}

/** One step of a run. Times are milliseconds since the epoch. */
export interface RunStep {
  readonly plan: StepPlan;
  readonly state: StepState;
  /** Not asked for: stays skipped when the run is resumed. */
  readonly excluded: boolean;
  /** The last attempt; 0 before the first. Rises through resumes, so that no result can be mistaken for another's. */
  readonly attempt: number;
  readonly maxAttempts: number;
  /** Of the span that stands for the step in the run's trace. */
  readonly spanId: string;
  /** Absent until the cache was consulted. */
  readonly cache?: CacheDecision;
  readonly fingerprint: string;
  /** All components, with those of the inputs. */
  readonly components: Components;
  readonly outputs: readonly Artifact[];
  readonly summary?: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
  readonly workMs: number;
  readonly error?: StepError;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  /** When the outputs were made, and by which run: an earlier one where they were reused. */
  readonly madeAt?: number;
  readonly madeBy?: string;
  /** When an attempt that says nothing is given up. */
  readonly deadlineAt?: number;
  /** When the next attempt begins. */
  readonly retryAt?: number;
  /** Whether whoever must approve the step has done so, or nobody must. */
  readonly approved: boolean;
  /** `approval of flights/3` */
  readonly waitingFor: string;
}

/** Why a run came to be, other than by a person asking for it. */
export interface RunCause {
  /** `trigger:<name>` or `reaction:<name>`. */
  readonly by: string;
  /** Id of the event, or scheduled time of the trigger. */
  readonly on: string;
  /** Triggers and reactions that led here, this one last: a rule that is in it must not fire again. */
  readonly ancestry: readonly string[];
}

/** One execution of a recipe: the whole of its state, changed only by `decide`. */
export interface PipelineRun {
  readonly id: string;
  readonly number: number;
  readonly projectName: string;
  readonly profile: string;
  readonly project: ProjectSnapshot;
  readonly recipe: RecipeContext;
  readonly state: RunState;
  readonly steps: readonly RunStep[];
  readonly fromStep: string;
  readonly toStep: string;
  readonly noCache: boolean;
  readonly submittedBy: Actor;
  readonly cause?: RunCause;
  readonly traceId: string;
  /** Whether the trace is recorded, as was decided where it began; absent: it is. */
  readonly sampled?: boolean;
  readonly spanId: string;
  /** Of the request that submitted the run, or of the run's earlier part when it was resumed. */
  readonly parentSpanId?: string;
  readonly createdAt: number;
  /** When the part since the submission or the last resume began. */
  readonly beganAt: number;
  readonly startedAt?: number;
  readonly finishedAt?: number;
  readonly error?: StepError;
  readonly warnings: readonly string[];
  readonly refusedResults: number;
  /** Who asked to cancel it; absent when nobody did. */
  readonly cancelledBy?: Actor;
  /** Whether the spans of an ended run were emitted. */
  readonly traced: boolean;
  /** 1 while there is anything left to do, for finding it after a crash. */
  readonly open: 0 | 1;
  /** Step → fingerprint of its outputs, where it has any: what later runs may reuse. */
  readonly fingerprints: Readonly<Record<string, string>>;
  /** What the run waits for, for finding it; empty when it does not wait. */
  readonly waitingFor: string;
  /** `trigger:<name>`, `reaction:<name>` or empty, for finding it. */
  readonly causedBy: string;
}

const endedRuns: ReadonlySet<RunState> = new Set<RunState>(['succeeded', 'failed', 'cancelled']);
const doneSteps: ReadonlySet<StepState> = new Set<StepState>(['succeeded', 'cached', 'skipped']);

export const isEnded = (run: PipelineRun): boolean => endedRuns.has(run.state);

export const hasOutputs = (step: RunStep): boolean => step.state === 'succeeded' || step.state === 'cached';

/** The step that the run is at: the first that is not done. */
export const currentStep = (run: PipelineRun): RunStep | undefined =>
  run.steps.find((step) => !doneSteps.has(step.state));

export const findStep = (run: PipelineRun, name: string): RunStep | undefined =>
  run.steps.find((step) => step.plan.name === name);

export const changeStep = (run: PipelineRun, name: string, change: Partial<RunStep>): PipelineRun => ({
  ...run,
  steps: run.steps.map((step) => (step.plan.name === name ? { ...step, ...change } : step)),
});

/** A step's card is for people; nothing is computed from it. */
const isForPeople = (artifact: Artifact): boolean => artifact.kind === 'card';

/** Outputs of earlier steps that a step reads. */
export const inputsOf = (run: PipelineRun, step: RunStep): readonly Artifact[] =>
  step.plan.needs.flatMap((name) => {
    const needed = findStep(run, name);
    return needed === undefined ? [] : needed.outputs.filter((artifact) => !isForPeople(artifact));
  });

/** When the run next needs attention without anything happening; undefined when never. */
export const wakeAt = (run: PipelineRun): number | undefined => {
  if (isEnded(run)) return undefined;
  const step = currentStep(run);
  return step?.deadlineAt ?? step?.retryAt;
};
