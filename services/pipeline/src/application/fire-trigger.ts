import { asMillraceError, isRetryable } from '@millrace/errors';
import {
  type Firing,
  type Occasion,
  reasonAgainst,
  recordFiring,
  ruleName,
  type Trigger,
} from '../domain/trigger.ts';
import type { PipelineContext } from './context.ts';
import { submitRun } from './submit-run.ts';

/**
 * Starts a run because a trigger's condition was met, at most one per occasion however often this is repeated. Throws
 * only what may pass by trying again.
 */
export const fireTrigger = async (
  context: PipelineContext,
  trigger: Trigger,
  occasion: Occasion,
): Promise<Firing> => {
  const firing = await startRun(context, trigger, occasion);
  await context.collections.triggers.update(trigger.name, (current) => {
    if (current === undefined) return undefined;
    const recorded = recordFiring(current.document, firing);
    return recorded === current.document ? undefined : { document: recorded };
  });
  context.log.info({ trigger: trigger.name, ...firing }, 'trigger fired');
  return firing;
};

const startRun = async (context: PipelineContext, trigger: Trigger, occasion: Occasion): Promise<Firing> => {
  const at = context.now();
  const firing = (outcome: Firing['outcome'], detail: string): Firing => ({
    at,
    on: occasion.on,
    outcome,
    detail,
  });
  const objection = reasonAgainst(trigger, occasion, at);
  if (objection !== undefined) return firing('suppressed', objection);
  const project = (await context.collections.projects.get(trigger.project))?.document;
  if (project === undefined) return firing('failed', `there is no project ${trigger.project}`);
  const by = ruleName(trigger.name);
  const ancestry = [...new Set(occasion.causingRuns.flatMap((run) => run.ancestry)), by];
  try {
    const run = await submitRun(context, {
      snapshot: project.snapshot,
      profile: trigger.profile === '' ? project.defaultProfile : trigger.profile,
      fromStep: '',
      toStep: '',
      noCache: false,
      actor: { name: by, reason: occasion.on },
      idempotencyKey: `${by}:${occasion.on}`,
      cause: { by, on: occasion.on, ancestry },
    });
    return firing('started', run.id);
  } catch (thrown) {
    const error = asMillraceError(thrown);
    if (isRetryable(error.code)) throw error;
    return firing('failed', error.message);
  }
};
