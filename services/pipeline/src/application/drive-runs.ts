import { messageOf } from '@millrace/errors';
import { type NextAction, nextAction } from '../domain/next-action.ts';
import { currentStep, type PipelineRun, wakeAt } from '../domain/run.ts';
import { applyInput } from './apply-input.ts';
import { askApproval } from './ask-approval.ts';
import { consultCache } from './consult-cache.ts';
import type { PipelineContext } from './context.ts';

/** Longest delay that a timer of Node takes. */
const maxTimerMs = 2 ** 31 - 1;
const firstRetryMs = 250;
const maxRetryMs = 30_000;

interface Awakening {
  readonly run?: PipelineRun;
  readonly recheck?: boolean;
}

/**
 * Takes runs on: does what they need from outside and tells them the answer, until they wait for a worker, a person
 * or a time. It keeps nothing that the store does not have, so after a crash `start` goes on where it was.
 */
export class RunDriver {
  readonly #context: PipelineContext;
  /** Runs being driven; `again` when one must be looked at once more. */
  readonly #driven = new Map<string, { again: boolean }>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  readonly #failures = new Map<string, number>();
  readonly #work = new Set<Promise<void>>();
  #stopped = false;

  constructor(context: PipelineContext) {
    this.#context = context;
  }

  /** Takes up every run that is not over. */
  async start(): Promise<void> {
    const open = this.#context.collections.runs.scan({ field: 'open', op: 'eq', value: 1 });
    for await (const { key, document: run } of open) this.wake(key, { run, recheck: true });
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#timers.values()) clearTimeout(timer);
    this.#timers.clear();
    await Promise.all(this.#work);
  }

  /**
   * Looks after a run now. `run` is how it has just been stored, so that it need not be read. `recheck` asks again for what
   * it waits for, as an event may have been missed.
   */
  wake(runId: string, { run, recheck = false }: Awakening = {}): void {
    if (this.#stopped) return;
    clearTimeout(this.#timers.get(runId));
    this.#timers.delete(runId);
    const driven = this.#driven.get(runId);
    if (driven !== undefined) {
      driven.again = true;
      return;
    }
    this.#driven.set(runId, { again: false });
    const work = this.#drive(runId, recheck, run).finally(() => this.#work.delete(work));
    this.#work.add(work);
  }

  async #drive(runId: string, recheck: boolean, known: PipelineRun | undefined): Promise<void> {
    try {
      const run = await this.#driveToRest(runId, recheck, known);
      this.#failures.delete(runId);
      this.#driven.get(runId)?.again ? this.#rewake(runId) : this.#rest(runId, run);
    } catch (thrown) {
      this.#driven.delete(runId);
      this.#retryLater(runId, thrown);
    }
  }

  async #driveToRest(
    runId: string,
    recheck: boolean,
    known: PipelineRun | undefined,
  ): Promise<PipelineRun | undefined> {
    for (let first = true; ; first = false) {
      const run = first && known ? known : (await this.#context.collections.runs.get(runId))?.document;
      if (run === undefined || this.#stopped) return undefined;
      const action = nextAction(run, this.#context.now()) ?? (first && recheck ? recheckOf(run) : undefined);
      if (action === undefined) return run;
      await this.#perform(run, action);
    }
  }

  async #perform(run: PipelineRun, action: NextAction): Promise<void> {
    const context = this.#context;
    switch (action.kind) {
      case 'begin':
      case 'tick':
        await applyInput(context, run.id, action);
        return;
      case 'consult_cache': {
        const lookup = await consultCache(context, run, action.step);
        await applyInput(context, run.id, { kind: 'cache_consulted', lookup });
        return;
      }
      case 'ask_approval': {
        const answer = await askApproval(context, run, action.step);
        await applyInput(context, run.id, answer);
        if (answer.verdict !== 'pending') return;
        // Approval may have come between the answer and the record of the waiting; nobody would tell again.
        await applyInput(context, run.id, await askApproval(context, run, action.step));
        return;
      }
      case 'emit_trace':
        context.emitTrace(run);
        await applyInput(context, run.id, { kind: 'traced' });
    }
  }

  #rewake(runId: string): void {
    this.#driven.delete(runId);
    this.wake(runId);
  }

  #rest(runId: string, run: PipelineRun | undefined): void {
    this.#driven.delete(runId);
    const at = run === undefined ? undefined : wakeAt(run);
    if (at !== undefined) this.#arm(runId, at - this.#context.now());
  }

  #arm(runId: string, delayMs: number): void {
    if (this.#stopped) return;
    const timer = setTimeout(() => this.wake(runId), Math.min(Math.max(delayMs, 1), maxTimerMs));
    timer.unref();
    this.#timers.set(runId, timer);
  }

  #retryLater(runId: string, thrown: unknown): void {
    const failures = (this.#failures.get(runId) ?? 0) + 1;
    this.#failures.set(runId, failures);
    const delayMs = Math.min(maxRetryMs, firstRetryMs * 2 ** (failures - 1));
    this.#context.log.warn(
      { pipelineRunId: runId, delayMs, error: messageOf(thrown) },
      'run could not go on; will try again',
    );
    this.#arm(runId, delayMs);
  }
}

const recheckOf = (run: PipelineRun): NextAction | undefined => {
  const step = currentStep(run);
  return step?.state === 'waiting' ? { kind: 'ask_approval', step } : undefined;
};
