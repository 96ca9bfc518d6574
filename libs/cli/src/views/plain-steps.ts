import { type Run, type Step, StepState } from '@millrace/contracts/pipeline';
import type { StepProgress } from '@millrace/contracts/step';
import type { Output } from '../output.ts';
import {
  isStepDone,
  isStepOver,
  progressText,
  type StepsView,
  stepLine,
  warningLines,
} from './steps-view.ts';

/** Least time between two progress lines, milliseconds: a log is to be read, not watched. */
const progressMs = 10_000;

/** One line when a step begins, waits or ends, and now and then one of progress. */
export class PlainSteps implements StepsView {
  readonly #output: Output;
  readonly #shown = new Map<string, StepState>();
  #run: Run | undefined;
  #lastProgress = Date.now();

  constructor(output: Output) {
    this.#output = output;
  }

  update(run: Run): void {
    const first = this.#run === undefined;
    this.#run = run;
    for (const step of run.steps) {
      const before = this.#shown.get(step.name);
      if (before === step.state) continue;
      this.#shown.set(step.name, step.state);
      // Skipped from the beginning is not asked for; a resumed run tells what was done before.
      if (first && step.state === StepState.STEP_STATE_SKIPPED) continue;
      this.#show(step, run);
    }
  }

  progress(progress: StepProgress): void {
    const now = Date.now();
    if (now - this.#lastProgress < progressMs) return;
    this.#lastProgress = now;
    this.#output.happening(`  ${progress.step}  ${progressText(progress)}`);
  }

  async close(): Promise<void> {}

  #show(step: Step, run: Run): void {
    if (step.state === StepState.STEP_STATE_RUNNING) {
      this.#lastProgress = Date.now();
      this.#output.happening(`> ${step.name}`);
      return;
    }
    if (step.state === StepState.STEP_STATE_PENDING) return;
    for (const line of warningLines(step)) this.#output.happening(line);
    this.#output.happening(`${markOf(step)} ${stepLine(step, run)}`);
  }
}

const markOf = (step: Step): string => {
  if (isStepDone(step)) return '✔';
  if (step.state === StepState.STEP_STATE_FAILED) return '✖';
  return isStepOver(step) ? '-' : '…';
};
