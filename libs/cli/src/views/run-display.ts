import type { MillraceClient } from '@millrace/client';
import { type Run, RunState } from '@millrace/contracts/pipeline';
import { Unavailable } from '@millrace/errors';
import type { Output } from '../output.ts';
import { LiveSteps } from './live-steps.ts';
import { PlainSteps } from './plain-steps.ts';
import type { StepsView } from './steps-view.ts';

const ended = new Set<RunState>([
  RunState.RUN_STATE_SUCCEEDED,
  RunState.RUN_STATE_FAILED,
  RunState.RUN_STATE_CANCELLED,
]);

export interface FollowOptions {
  /** Also ends when a step waits for a person. */
  readonly untilWaiting?: boolean;
  readonly signal?: AbortSignal;
}

const silent: StepsView = { update: () => {}, progress: () => {}, close: async () => {} };

/** A terminal gets lines that move; a file or a pipe gets one that stays per thing that happened. */
const viewOf = (run: Run, output: Output): StepsView => {
  if (output.json) return silent;
  return process.stdout.isTTY ? new LiveSteps(run, output) : new PlainSteps(output);
};

/** Follows a run to its end, showing its steps. Returns the run as it ended. */
export const followRun = async (
  client: MillraceClient,
  run: Run,
  output: Output,
  options: FollowOptions = {},
): Promise<Run> => {
  const view = viewOf(run, output);
  view.update(run);
  try {
    return await watch(client, view, run, options);
  } finally {
    await view.close();
  }
};

/** Milliseconds before a broken stream is opened again. */
const reconnectMs = 500;

const watch = async (
  client: MillraceClient,
  view: StepsView,
  run: Run,
  options: FollowOptions,
): Promise<Run> => {
  let last = run;
  const { untilWaiting = false, signal } = options;
  while (!isOver(last, untilWaiting)) {
    try {
      for await (const update of client.watchRun(run.id, signal)) {
        if (update.kind === 'progress') {
          view.progress(update.progress);
          continue;
        }
        last = update.run;
        view.update(last);
        if (isOver(last, untilWaiting)) break;
      }
    } catch (thrown) {
      if (signal?.aborted) return last;
      // The gateway may be restarting; the run goes on without it.
      if (!(thrown instanceof Unavailable)) throw thrown;
    }
    if (!isOver(last, untilWaiting)) await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
  return last;
};

const isOver = ({ state }: Run, untilWaiting: boolean): boolean =>
  ended.has(state) || (untilWaiting && state === RunState.RUN_STATE_WAITING);
