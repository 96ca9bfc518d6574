import type { Actor, Reaction } from '@millrace/contracts/common';
import { monitoringEvents } from '@millrace/contracts/monitoring';
import { NotFound } from '@millrace/errors';
import { ruleName, type Trigger } from '../domain/trigger.ts';
import type { PipelineContext } from './context.ts';
import { switchTrigger } from './manage-triggers.ts';

/** When a monitor asks for retraining, the project's pipeline runs. */
export const retrainingReaction = 'retraining-request-runs-pipeline';

/** `reaction:<name>`, as runs name what caused them. */
export const retrainingRule = `reaction:${retrainingReaction}`;

const description =
  'When a monitor asks for retraining after drift, the pipeline of its project runs, unless a run for that reason is under way.';

/** Reactions are on until somebody switches them off. */
export const isRetrainingEnabled = async ({ collections }: PipelineContext): Promise<boolean> =>
  (await collections.reactions.get(retrainingReaction))?.document.enabled ?? true;

/** The service's own reaction, and every trigger as `trigger:<name>`. */
export const listReactions = async (context: PipelineContext): Promise<Reaction[]> => {
  const reactions = [await describeRetraining(context)];
  for await (const { document } of context.collections.triggers.scan())
    reactions.push(describeTrigger(document));
  return reactions;
};

/** Switches a reaction or trigger; what happens while it is off is not made up for. Throws `NotFound`. */
export const setReaction = async (
  context: PipelineContext,
  name: string,
  enabled: boolean,
  actor: Actor | undefined,
): Promise<Reaction> => {
  if (name === retrainingReaction) {
    const reaction = { ...(await describeRetraining(context)), enabled };
    await context.collections.reactions.update(name, (current) =>
      (current?.document.enabled ?? true) === enabled
        ? undefined
        : { document: { enabled }, messages: [context.changeMessages.reactionSwitched(reaction, actor)] },
    );
    return reaction;
  }
  if (name.startsWith(ruleName(''))) {
    return describeTrigger(await switchTrigger(context, name.slice(ruleName('').length), enabled, actor));
  }
  throw new NotFound(`the pipeline service has no reaction ${name}`);
};

/** Counted where it takes effect, in the runs, so that a crash counts neither twice nor not at all. */
const describeRetraining = async (context: PipelineContext): Promise<Reaction> => {
  const { runs } = context.collections;
  const filter = { field: 'causedBy', op: 'eq', value: retrainingRule } as const;
  const latest = await runs.find({ filter, sort: { field: 'createdAt', direction: 'desc' }, limit: 1 });
  const last = latest.items[0]?.document;
  return {
    name: retrainingReaction,
    description,
    eventType: monitoringEvents.retrainingRequested.type,
    enabled: await isRetrainingEnabled(context),
    fired: await runs.count(filter),
    lastFiredAt: last === undefined ? undefined : new Date(last.createdAt).toISOString(),
  };
};

const describeTrigger = (trigger: Trigger): Reaction => {
  const { condition } = trigger;
  const when =
    condition.kind === 'cron'
      ? `At ${condition.expression} (${condition.timeZone === '' ? 'UTC' : condition.timeZone})`
      : condition.kind === 'event'
        ? `On ${condition.subject}`
        : `On a new version of dataset ${condition.dataset}`;
  return {
    name: ruleName(trigger.name),
    description: `${when}, the pipeline of ${trigger.project} runs.`,
    eventType: condition.kind === 'event' ? condition.subject.replace(/^millrace\.evt\./, 'millrace.') : '',
    enabled: trigger.enabled,
    fired: trigger.fired,
    lastFiredAt: trigger.lastFiredAt === undefined ? undefined : new Date(trigger.lastFiredAt).toISOString(),
  };
};
