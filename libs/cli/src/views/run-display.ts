import type { MillraceClient } from '@millrace/client';
import { type Run, RunState } from '@millrace/contracts/pipeline';
import { ApprovalState } from '@millrace/contracts/registry';
import { Unavailable } from '@millrace/errors';
import type { Output } from '../output.ts';
import { parseModelVersion } from '../references.ts';
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
  if (!output.told) return silent;
  return process.stdout.isTTY && !output.json ? new LiveSteps(run, output) : new PlainSteps(output);
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
  if (await isOver(client, last, untilWaiting)) return last;
  for (;;) {
    try {
      for await (const update of client.watchRun(run.id, signal)) {
        if (update.kind === 'progress') {
          view.progress(update.progress);
          continue;
        }
        last = update.run;
        view.update(last);
        if (await isOver(client, last, untilWaiting)) return last;
      }
    } catch (thrown) {
      if (signal?.aborted) return last;
      // The gateway may be restarting; the run goes on without it.
      if (!(thrown instanceof Unavailable)) throw thrown;
    }
    await new Promise((resolve) => setTimeout(resolve, reconnectMs));
  }
};

const isOver = async (client: MillraceClient, run: Run, untilWaiting: boolean): Promise<boolean> => {
  if (ended.has(run.state)) return true;
  return untilWaiting && run.state === RunState.RUN_STATE_WAITING && !(await isAnswered(client, run));
};

/** The model version (`flights/3`) whose approval a run waits for. */
export const awaitedVersion = ({ steps }: Run): string | undefined => {
  const step = steps.find(({ waitingFor }) => waitingFor !== '');
  return /(\S+\/\d+)/.exec(step?.waitingFor ?? '')?.[1];
};

/** Whether the approval has been given or refused already: the run hears of it in a moment. */
const isAnswered = async (client: MillraceClient, run: Run): Promise<boolean> => {
  const version = awaitedVersion(run);
  if (version === undefined) return false;
  const { modelVersion } = await client.registry.getModelVersion(parseModelVersion(version));
  const state = modelVersion?.approvalState;
  return state === ApprovalState.APPROVAL_STATE_APPROVED || state === ApprovalState.APPROVAL_STATE_REJECTED;
};
