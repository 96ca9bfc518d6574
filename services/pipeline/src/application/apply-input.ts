import type { InboxPosition, Stored } from '@millrace/store';
import { decide } from '../domain/decide.ts';
import type { RunInput } from '../domain/inputs.ts';
import type { PipelineRun } from '../domain/run.ts';
import type { PipelineContext } from './context.ts';

/**
 * Lets something happen to a run: new state, messages and the handled event are one commit. Undefined when there is
 * no such run or nothing changes.
 */
export const applyInput = async (
  context: PipelineContext,
  runId: string,
  input: RunInput,
  handled?: InboxPosition,
): Promise<Stored<PipelineRun> | undefined> => {
  let changes = false;
  const stored = await context.collections.runs.update(
    runId,
    (current) => {
      const decided = current && decide(current.document, input, context.now(), context.patience);
      // Decided anew after each lost race; an update that decides nothing answers what is stored.
      changes = decided !== undefined;
      if (decided === undefined) return undefined;
      return { document: decided.run, messages: context.messagesOf(decided.run, decided.effects) };
    },
    handled,
  );
  if (!changes) return undefined;
  context.wake(runId);
  return stored;
};
