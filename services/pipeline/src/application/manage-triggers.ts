import { checkFilter, subjects } from '@millrace/bus';
import type { Actor } from '@millrace/contracts/common';
import { Conflict, Invalid, NotFound } from '@millrace/errors';
import { requireName, requireText } from '@millrace/service-kit';
import { nextFireAt, type Trigger, type TriggerCondition } from '../domain/trigger.ts';
import type { PipelineContext } from './context.ts';

export interface NewTrigger {
  readonly name: string;
  readonly project: string;
  readonly profile: string;
  readonly condition: TriggerCondition;
  readonly enabled: boolean;
  readonly coolDownMs: number;
}

/**
 * Creates a trigger. Throws `Invalid` naming the field, `NotFound` when there is no such project, and `Conflict`
 * when the name is taken.
 */
export const createTrigger = async (
  context: PipelineContext,
  request: NewTrigger,
  actor: Actor | undefined,
): Promise<Trigger> => {
  requireName('trigger.name', request.name);
  requireText('trigger.project', request.project);
  if (!(request.coolDownMs >= 0)) throw Invalid.field('trigger.cool_down_seconds', 'must be >= 0');
  checkCondition(request.condition);
  const now = context.now();
  const next = request.condition.kind === 'cron' ? nextFireAt(request.condition, now) : undefined;
  if (request.condition.kind === 'cron' && next === undefined) {
    throw Invalid.field('trigger.cron.expression', 'is never due again');
  }
  if ((await context.collections.projects.get(request.project)) === undefined) {
    throw new NotFound(`there is no project ${request.project}`, {
      hint: 'Push the project, or run it once.',
    });
  }
  const trigger: Trigger = {
    ...request,
    createdAt: now,
    ...(next === undefined ? {} : { nextFireAt: next }),
    lastRunId: '',
    fired: 0,
    history: [],
  };
  try {
    const messages = [context.changeMessages.triggerCreated(trigger, actor)];
    return (await context.collections.triggers.insert(request.name, trigger, messages)).document;
  } catch (thrown) {
    if (!(thrown instanceof Conflict)) throw thrown;
    throw new Conflict(`there is a trigger ${request.name} already`, { hint: 'Delete it first.' });
  }
};

const checkCondition = (condition: TriggerCondition): void => {
  if (condition.kind === 'cron') requireText('trigger.cron.expression', condition.expression);
  if (condition.kind === 'dataset') requireText('trigger.dataset.dataset', condition.dataset);
  if (condition.kind !== 'event') return;
  checkFilter(condition.subject, 'trigger.event.subject');
  if (!condition.subject.startsWith(`${subjects.events}.`)) {
    throw Invalid.field('trigger.event.subject', `must begin with "${subjects.events}."`);
  }
};

/** Throws `NotFound`. */
export const deleteTrigger = async (
  { collections, changeMessages }: PipelineContext,
  name: string,
  actor: Actor | undefined,
): Promise<void> => {
  let found = false;
  await collections.triggers.update(name, (current) => {
    found = current !== undefined;
    return current === undefined
      ? undefined
      : { document: null, messages: [changeMessages.triggerDeleted(current.document, actor)] };
  });
  if (!found) throw new NotFound(`there is no trigger ${name}`);
};

/** Switches a trigger; a schedule that was off goes on with its next time. Throws `NotFound`. */
export const switchTrigger = async (
  { collections, now, changeMessages }: PipelineContext,
  name: string,
  enabled: boolean,
  actor: Actor | undefined,
): Promise<Trigger> => {
  const stored = await collections.triggers.update(name, (current) => {
    if (current === undefined || current.document.enabled === enabled) return undefined;
    const { condition } = current.document;
    const next = condition.kind === 'cron' ? nextFireAt(condition, now()) : undefined;
    const trigger = { ...current.document, enabled, ...(next === undefined ? {} : { nextFireAt: next }) };
    return { document: trigger, messages: [changeMessages.triggerSwitched(trigger, actor)] };
  });
  if (stored === undefined) throw new NotFound(`there is no trigger ${name}`);
  return stored.document;
};
