import type { MillraceClient } from '@millrace/client';
import { type Run, RunState, type Step, StepState } from '@millrace/contracts/pipeline';
import type { StepProgress } from '@millrace/contracts/step';
import { ErrorCode, MillraceError, Unavailable } from '@millrace/errors';
import { Listr, type ListrTaskWrapper } from 'listr2';
import pc from 'picocolors';
import { between, figure, word } from '../format.ts';
import { type Output, plain } from '../output.ts';

const ended = new Set<RunState>([
  RunState.RUN_STATE_SUCCEEDED,
  RunState.RUN_STATE_FAILED,
  RunState.RUN_STATE_CANCELLED,
]);

// biome-ignore lint/suspicious/noExplicitAny: listr2's own parameters for "any renderer"
type Line = ListrTaskWrapper<unknown, any, any>;

export interface FollowOptions {
  /** Also ends when a step waits for a person. */
  readonly untilWaiting?: boolean;
  readonly signal?: AbortSignal;
}

/** Follows a run to its end, showing one line per step. Returns the run as it ended. */
export const followRun = async (
  client: MillraceClient,
  run: Run,
  output: Output,
  options: FollowOptions = {},
): Promise<Run> => {
  const board = new StepBoard(run);
  const list = new Listr(
    run.steps
      .filter(({ state }) => state !== StepState.STEP_STATE_SKIPPED)
      .map(({ name }) => ({ title: name, task: (_context: unknown, line: Line) => board.show(name, line) })),
    {
      exitOnError: false,
      renderer: output.json ? 'silent' : 'default',
      fallbackRenderer: 'simple',
      rendererOptions: { collapseErrors: false, formatOutput: 'truncate' },
    },
  );
  const drawn = list.run();
  const last = await watch(client, board, run, options);
  board.close();
  await drawn;
  return last;
};

const watch = async (
  client: MillraceClient,
  board: StepBoard,
  run: Run,
  options: FollowOptions,
): Promise<Run> => {
  let last = run;
  const { untilWaiting = false, signal } = options;
  while (!isOver(last, untilWaiting)) {
    try {
      for await (const update of client.watchRun(run.id, signal)) {
        if (update.kind === 'progress') {
          board.progress(update.progress);
          continue;
        }
        last = update.run;
        board.update(last);
        if (isOver(last, untilWaiting)) break;
      }
    } catch (thrown) {
      if (signal?.aborted) return last;
      // The gateway may be restarting; the run goes on without it.
      if (!(thrown instanceof Unavailable) && !(thrown instanceof TypeError)) throw thrown;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }
  return last;
};

const isOver = ({ state }: Run, untilWaiting: boolean): boolean =>
  ended.has(state) || (untilWaiting && state === RunState.RUN_STATE_WAITING);

/** The steps' lines: each line waits for its step to end. */
class StepBoard {
  readonly #steps = new Map<string, Step>();
  readonly #waiters = new Map<string, () => void>();
  readonly #lines = new Map<string, Line>();
  #closed = false;

  constructor(run: Run) {
    this.update(run);
  }

  update(run: Run): void {
    for (const step of run.steps) {
      this.#steps.set(step.name, step);
      if (isStepOver(step)) this.#waiters.get(step.name)?.();
      else if (step.state === StepState.STEP_STATE_WAITING)
        this.#tell(step.name, `waiting for ${step.waitingFor}`);
    }
  }

  progress({ step, fraction, message }: StepProgress): void {
    const share = fraction < 0 ? '' : `${Math.round(fraction * 100)} % `;
    this.#tell(step, `${share}${message}`);
  }

  /** Nothing more will come: lines that still wait are marked as not run. */
  close(): void {
    this.#closed = true;
    for (const wake of this.#waiters.values()) wake();
  }

  async show(name: string, line: Line): Promise<void> {
    this.#lines.set(name, line);
    const step = await this.#whenOver(name);
    line.title = titleOf(step);
    if (step.state === StepState.STEP_STATE_FAILED) throw new Error(plain(step.error?.message ?? 'failed'));
    if (!isStepOver(step) || step.state === StepState.STEP_STATE_CANCELLED) {
      line.skip(`${name} ${pc.dim(step.waitingFor === '' ? 'not run' : `waits for ${step.waitingFor}`)}`);
    }
  }

  async #whenOver(name: string): Promise<Step> {
    const step = this.#steps.get(name);
    if (step !== undefined && !isStepOver(step) && !this.#closed) {
      await new Promise<void>((resolve) => this.#waiters.set(name, resolve));
    }
    return this.#steps.get(name) as Step;
  }

  #tell(name: string, text: string): void {
    const line = this.#lines.get(name);
    if (line !== undefined) line.output = plain(text);
  }
}

const isStepOver = ({ state }: Step): boolean =>
  state !== StepState.STEP_STATE_PENDING &&
  state !== StepState.STEP_STATE_RUNNING &&
  state !== StepState.STEP_STATE_WAITING;

const titleOf = (step: Step): string => {
  const parts = [step.name];
  if (step.state === StepState.STEP_STATE_CACHED) parts.push(pc.cyan('cached'));
  else parts.push(pc.dim(between(step.startedAt, step.finishedAt)));
  const summary = summaryOf(step);
  if (summary !== '') parts.push(summary);
  if (step.cache?.reason) parts.push(pc.dim(`(${step.cache.reason})`));
  return parts.map((part) => plain2(part)).join('  ');
};

/** Colours are ours and may pass; what comes from the run was made plain before. */
const plain2 = (text: string): string => text.replaceAll('\n', ' ');

/** The first few figures of a step's summary. */
export const summaryOf = (step: Step, most = 4): string =>
  Object.entries((step.summary ?? {}) as Record<string, unknown>)
    .filter(
      ([, value]) => typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean',
    )
    .slice(0, most)
    .map(([name, value]) => plain(`${name} ${typeof value === 'number' ? figure(value) : value}`))
    .join(', ');

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
      hint: error?.hint || `Mend it, then continue with \`millrace resume ${run.id}\` or run again.`,
    },
  );
};

/** `succeeded in 12.3 s` */
export const outcomeOf = (run: Run): string =>
  `${word(run.state, 'RUN_STATE')} in ${between(run.createdAt, run.finishedAt ?? new Date().toISOString())}`;
