import { messageOf } from '@millrace/errors';
import type { InboxPosition, NewMessage, Stored } from '@millrace/store';
import { decide } from '../domain/decide.ts';
import type { Decided } from '../domain/effects.ts';
import type { CacheLookup, RunInput } from '../domain/inputs.ts';
import { nextAction } from '../domain/next-action.ts';
import type { PipelineRun } from '../domain/run.ts';
import { consultCache } from './consult-cache.ts';
import type { PipelineContext } from './context.ts';

/**
 * Lets something happen to a run: new state, messages and the handled event are one commit. The steps that come next are
 * looked up in the cache beforehand, so that they are begun, or taken from it, by the same commit. Undefined when there is
 * no such run or nothing changes.
 */
export const applyInput = async (
  context: PipelineContext,
  runId: string,
  input: RunInput,
  handled?: InboxPosition,
): Promise<Stored<PipelineRun> | undefined> => {
  const foreseen = await foresee(context, runId, input);
  let changes = false;
  const stored = await context.collections.runs.update(
    runId,
    (current) => {
      const change = current && changeOf(context, current, input, foreseen);
      // Decided anew after each lost race; an update that decides nothing answers what is stored.
      changes = change !== undefined;
      return change;
    },
    // That the trace of a run was emitted can be forgotten: its spans have their ids, and are the same the second time.
    { handled, durability: input.kind === 'traced' ? 'delayed' : 'full' },
  );
  if (!changes || stored === undefined) return undefined;
  context.wake(runId, stored.document);
  return stored;
};

/** What the cache says of the steps that come next, if the run is still at that version. */
interface Foreseen {
  readonly version: number;
  readonly lookups: readonly CacheLookup[];
}

const foresee = async (context: PipelineContext, runId: string, input: RunInput): Promise<Foreseen> => {
  const stored = await context.collections.runs.get(runId);
  const lookups: CacheLookup[] = [];
  let run = stored && decideNow(context, stored.document, input)?.run;
  while (run !== undefined) {
    const action = nextAction(run, context.now());
    if (action?.kind !== 'consult_cache') break;
    try {
      const lookup = await consultCache(context, run, action.step);
      lookups.push(lookup);
      run = decideNow(context, run, { kind: 'cache_consulted', lookup })?.run;
    } catch (thrown) {
      // What happened is recorded all the same; whoever drives the run asks again, and tells when it cannot.
      context.log.debug({ pipelineRunId: runId, error: messageOf(thrown) }, 'the cache does not answer yet');
      break;
    }
  }
  return { version: stored?.version ?? 0, lookups };
};

const decideNow = (context: PipelineContext, run: PipelineRun, input: RunInput): Decided | undefined =>
  decide(run, input, context.now(), context.patience);

const changeOf = (
  context: PipelineContext,
  current: Stored<PipelineRun>,
  input: RunInput,
  foreseen: Foreseen,
): { readonly document: PipelineRun; readonly messages: readonly NewMessage[] } | undefined => {
  const lookups = current.version === foreseen.version ? foreseen.lookups : [];
  const inputs = [input, ...lookups.map((lookup): RunInput => ({ kind: 'cache_consulted', lookup }))];
  const messages: NewMessage[] = [];
  let run: PipelineRun | undefined;
  for (const each of inputs) {
    const decided = decideNow(context, run ?? current.document, each);
    if (decided === undefined) break;
    run = decided.run;
    messages.push(...context.messagesOf(run, decided.effects));
  }
  return run && { document: run, messages };
};
