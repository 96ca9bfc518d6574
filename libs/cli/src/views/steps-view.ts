import { type Run, type Step, StepState } from '@millrace/contracts/pipeline';
import type { StepProgress } from '@millrace/contracts/step';
import pc from 'picocolors';
import { between, figure } from '../format.ts';
import { plain } from '../output.ts';

/** Shows the steps of one run. */
export interface StepsView {
  update(run: Run): void;
  progress(progress: StepProgress): void;
  /** Nothing more will come. Resolves when everything is drawn. */
  close(): Promise<void>;
}

const over = new Set<StepState>([
  StepState.STEP_STATE_SUCCEEDED,
  StepState.STEP_STATE_CACHED,
  StepState.STEP_STATE_FAILED,
  StepState.STEP_STATE_CANCELLED,
  StepState.STEP_STATE_SKIPPED,
]);

/** Whether nothing more will happen to a step in this run. */
export const isStepOver = ({ state }: Step): boolean => over.has(state);

/** Whether a step has done what it was to do. */
export const isStepDone = ({ state }: Step): boolean =>
  state === StepState.STEP_STATE_SUCCEEDED || state === StepState.STEP_STATE_CACHED;

/** The first few figures of a step's summary. */
export const summaryOf = (step: Step, most = 4): string =>
  Object.entries((step.summary ?? {}) as Record<string, unknown>)
    .filter(
      ([, value]) => typeof value === 'number' || typeof value === 'string' || typeof value === 'boolean',
    )
    .slice(0, most)
    .map(([name, value]) => plain(`${name} ${typeof value === 'number' ? figure(value) : value}`))
    .join(', ');

/** What became of a step, in one line: name, time or cached, figures, and why it was run or not. */
export const stepLine = (step: Step, run: Run): string => {
  const { name, state, waitingFor } = step;
  if (state === StepState.STEP_STATE_FAILED) {
    const took = between(step.startedAt, step.finishedAt);
    return `${name}  ${pc.dim(took)}  ${pc.red(oneLine(step.error?.message ?? 'failed'))}`;
  }
  if (isStepDone(step)) {
    const how =
      state === StepState.STEP_STATE_CACHED
        ? pc.cyan('cached')
        : pc.dim(between(step.startedAt, step.finishedAt));
    return [name, how, summaryOf(step), pc.dim(reasonOf(step, run))].filter((part) => part !== '').join('  ');
  }
  if (state === StepState.STEP_STATE_WAITING)
    return `${name}  ${pc.yellow(`waits for ${oneLine(waitingFor)}`)}`;
  return `${name}  ${pc.dim(state === StepState.STEP_STATE_CANCELLED ? 'cancelled' : 'not run')}`;
};

/** Why a step was run again or not; that a first run does everything goes without saying. */
const reasonOf = ({ cache }: Step, run: Run): string =>
  cache === undefined || (!cache.hit && run.number === 1) ? '' : `(${oneLine(cache.reason)})`;

/** `45 % fitting the model` */
export const progressText = ({ fraction, message }: StepProgress): string =>
  oneLine(`${fraction < 0 ? '' : `${Math.round(fraction * 100)} % `}${message}`);

const oneLine = (text: string): string => plain(text.replaceAll(/\s*\n\s*/g, ' '));

/** The warnings of a step, one line each. */
export const warningLines = ({ name, warnings }: Step): readonly string[] =>
  warnings.map((warning) => pc.yellow(`warning ${name}: ${oneLine(warning)}`));
