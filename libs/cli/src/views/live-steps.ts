import { type Run, type Step, StepState } from '@millrace/contracts/pipeline';
import type { StepProgress } from '@millrace/contracts/step';
import { Listr, type ListrTaskWrapper } from 'listr2';
import pc from 'picocolors';
import { duration } from '../format.ts';
import type { Output } from '../output.ts';
import {
  isStepDone,
  isStepOver,
  progressText,
  type StepsView,
  stepLine,
  warningLines,
} from './steps-view.ts';

// biome-ignore lint/suspicious/noExplicitAny: listr2's own parameters for "any renderer"
type Line = ListrTaskWrapper<unknown, any, any>;

/** How often the elapsed time is drawn, milliseconds. */
const tickMs = 250;

/** One line per step on a terminal: a spinner with time and progress while it runs, then what became of it. */
export class LiveSteps implements StepsView {
  readonly #output: Output;
  readonly #steps = new Map<string, Step>();
  readonly #ends = new Map<string, PromiseWithResolvers<void>>();
  readonly #lines = new Map<string, Line>();
  readonly #drawn: Promise<unknown>;
  readonly #ticker: NodeJS.Timeout;
  /** The step that runs, since when on this machine's clock, and what it last said. */
  #running: { readonly name: string; readonly since: number; readonly said: string } | undefined;
  #run: Run;
  #closed = false;

  constructor(run: Run, output: Output) {
    this.#run = run;
    this.#output = output;
    const names = run.steps
      .filter(({ state }) => state !== StepState.STEP_STATE_SKIPPED)
      .map(({ name }) => name);
    for (const name of names) this.#ends.set(name, Promise.withResolvers<void>());
    const list = new Listr(
      names.map((name) => ({ title: name, task: (_context: unknown, line: Line) => this.#show(name, line) })),
      {
        exitOnError: false,
        renderer: 'default',
        rendererOptions: { showErrorMessage: false, suffixSkips: false, formatOutput: 'truncate' },
      },
    );
    this.#drawn = list.run();
    this.#ticker = setInterval(() => this.#tick(), tickMs);
  }

  update(run: Run): void {
    this.#run = run;
    for (const step of run.steps) {
      this.#steps.set(step.name, step);
      if (isStepOver(step)) this.#ends.get(step.name)?.resolve();
      else if (step.state === StepState.STEP_STATE_RUNNING && this.#running?.name !== step.name) {
        this.#running = { name: step.name, since: Date.now(), said: '' };
      }
    }
    this.#tick();
  }

  progress(progress: StepProgress): void {
    if (this.#running?.name !== progress.step) return;
    this.#running = { ...this.#running, said: progressText(progress) };
    this.#tick();
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#ends.values()) end.resolve();
    await this.#drawn;
    clearInterval(this.#ticker);
    for (const step of this.#run.steps) {
      for (const line of warningLines(step)) this.#output.write(line);
    }
  }

  #tick(): void {
    if (this.#running === undefined || this.#closed) return;
    const { name, since, said } = this.#running;
    const line = this.#lines.get(name);
    const step = this.#steps.get(name);
    if (line === undefined || step?.state !== StepState.STEP_STATE_RUNNING) return;
    line.title = [name, pc.dim(duration(Date.now() - since)), said].filter((part) => part !== '').join('  ');
  }

  /** Draws one step: resolves when it is done, skips what was not run, throws when it failed. */
  async #show(name: string, line: Line): Promise<void> {
    this.#lines.set(name, line);
    this.#tick();
    await this.#ends.get(name)?.promise;
    const step = this.#steps.get(name);
    if (step === undefined) return;
    const text = stepLine(step, this.#run);
    line.title = text;
    if (step.state === StepState.STEP_STATE_FAILED) throw new Error(text);
    if (!isStepDone(step)) line.skip(text);
  }
}
