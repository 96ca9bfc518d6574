import type { Outcome } from '@millrace/bus';
import type { RetrainingRequested } from '@millrace/contracts/monitoring';
import { asMillraceError, isRetryable } from '@millrace/errors';
import type { PipelineContext } from './context.ts';
import { isRetrainingEnabled, retrainingRule } from './reactions.ts';
import { submitRun } from './submit-run.ts';

/** Runs a project's pipeline because its monitor asked for it: once per request, and not while such a run is open. */
export const retrain = async (
  context: PipelineContext,
  request: RetrainingRequested,
  eventId: string,
): Promise<Outcome> => {
  if (!(await isRetrainingEnabled(context)))
    return { kind: 'ignored', reason: 'the reaction is switched off' };
  const project = (await context.collections.projects.get(request.project))?.document;
  if (project === undefined) return { kind: 'ignored', reason: `there is no project "${request.project}"` };
  const idempotencyKey = `${retrainingRule}:${eventId}`;
  const open = await openRetraining(context, request.project);
  const isRepeated = (await context.collections.submissions.get(idempotencyKey)) !== undefined;
  if (open !== undefined && !isRepeated) return { kind: 'ignored', reason: `${open} is retraining already` };
  try {
    await submitRun(context, {
      snapshot: project.snapshot,
      profile: project.defaultProfile,
      fromStep: '',
      toStep: '',
      noCache: false,
      actor: { name: 'service:monitoring', reason: request.reason },
      idempotencyKey,
      cause: { by: retrainingRule, on: eventId, ancestry: [retrainingRule] },
    });
    return { kind: 'done' };
  } catch (thrown) {
    const error = asMillraceError(thrown);
    if (isRetryable(error.code)) throw error;
    return { kind: 'reject', reason: `the pipeline of ${request.project} cannot run: ${error.message}` };
  }
};

const openRetraining = async (
  { collections }: PipelineContext,
  project: string,
): Promise<string | undefined> => {
  const page = await collections.runs.find({
    filter: {
      and: [
        { field: 'causedBy', op: 'eq', value: retrainingRule },
        { field: 'projectName', op: 'eq', value: project },
        { field: 'open', op: 'eq', value: 1 },
      ],
    },
    limit: 1,
  });
  return page.items[0]?.key;
};
