import type { Actor } from '@millrace/contracts/common';
import type { PipelineServiceService } from '@millrace/contracts/pipeline';
import { Invalid } from '@millrace/errors';
import { pageQuery, type RpcHandlers, requireMessage, requireText } from '@millrace/service-kit';
import type { Filter, Page } from '@millrace/store';
import { cancelRun, getRun, resumeRun } from '../application/change-run.ts';
import type { PipelineContext } from '../application/context.ts';
import { createTrigger, deleteTrigger } from '../application/manage-triggers.ts';
import { checkSnapshot, resolveProject } from '../application/open-project.ts';
import { pushProject } from '../application/push-project.ts';
import { listReactions, setReaction } from '../application/reactions.ts';
import { submitRun } from '../application/submit-run.ts';
import { createRun } from '../domain/new-run.ts';
import type { GarbageHandlers } from './garbage-rpc.ts';
import { conditionOf, domainRunState, projectView, runView, stepView, triggerView } from './views.ts';

/** What the handlers tell when triggers changed. */
export interface TriggerChanges {
  changed(): Promise<void>;
}

/** Trace of the call under way; undefined when it has none. */
export type RequestTrace = () =>
  | { readonly traceId: string; readonly spanId: string; readonly sampled: boolean }
  | undefined;

export const grpcHandlers = (
  context: PipelineContext,
  triggers: TriggerChanges,
  requestTrace: RequestTrace,
): Omit<RpcHandlers<typeof PipelineServiceService>, keyof GarbageHandlers> => ({
  pushProject: async ({ snapshot, defaultProfile, actor }) => ({
    project: projectView(await pushProject(context, snapshot, defaultProfile, actor)),
  }),
  listProjects: async ({ page }) => {
    const found = await context.collections.projects.find(pageQuery(page));
    return { projects: found.items.map(({ document }) => projectView(document)), page: pageInfo(found) };
  },
  planRun: async ({ snapshot, profile }) => {
    const checked = checkSnapshot(snapshot);
    const project = await resolveProject(context, checked, profile);
    const { run } = createRun(
      {
        id: '',
        number: 0,
        project: checked,
        recipe: project.context,
        plan: project.plan,
        fromStep: '',
        toStep: '',
        noCache: false,
        submittedBy: { name: '', reason: '' },
        warnings: project.warnings,
        traceId: '',
        spanIds: [],
      },
      context.now(),
    );
    return {
      recipe: project.context,
      steps: run.steps.map(stepView),
      warnings: [...project.warnings],
    };
  },
  submitRun: async ({ snapshot, profile, fromStep, toStep, noCache, actor, idempotencyKey }) => {
    const trace = requestTrace();
    const run = await submitRun(context, {
      snapshot: checkSnapshot(snapshot),
      profile,
      fromStep,
      toStep,
      noCache,
      actor: checkActor(actor),
      idempotencyKey: idempotencyKey === '' ? '' : `request:${idempotencyKey}`,
      ...(trace === undefined ? {} : { trace }),
    });
    return { run: runView(run) };
  },
  getRun: async ({ id }) => ({ run: runView(await getRun(context, requireText('id', id))) }),
  listRuns: async ({ project, state, page }) => {
    const wanted = domainRunState(state);
    const filters: Filter[] = [
      ...(project === '' ? [] : [{ field: 'projectName', op: 'eq', value: project } as const]),
      ...(wanted === undefined ? [] : [{ field: 'state', op: 'eq', value: wanted } as const]),
    ];
    const found = await context.collections.runs.find({
      ...pageQuery(page),
      ...(filters.length === 0 ? {} : { filter: { and: filters } }),
      sort: { field: 'createdAt', direction: 'desc' },
    });
    return { runs: found.items.map(({ document }) => runView(document)), page: pageInfo(found) };
  },
  cancelRun: async ({ id, actor }) => ({
    run: runView(await cancelRun(context, requireText('id', id), checkActor(actor))),
  }),
  resumeRun: async ({ id, actor }) => ({
    run: runView(await resumeRun(context, requireText('id', id), checkActor(actor))),
  }),
  createTrigger: async ({ trigger, actor }) => {
    const request = requireMessage('trigger', trigger);
    const condition = conditionOf(request.condition);
    if (condition === undefined)
      throw Invalid.field('trigger.condition', 'is required: cron, event or dataset');
    const { name, project, profile, enabled, coolDownSeconds } = request;
    const coolDownMs = coolDownSeconds * 1000;
    const wanted = { name, project, profile, condition, enabled, coolDownMs };
    const created = await createTrigger(context, wanted, actor);
    await triggers.changed();
    return { trigger: triggerView(created) };
  },
  listTriggers: async ({ project, page }) => {
    const found = await context.collections.triggers.find({
      ...pageQuery(page),
      ...(project === '' ? {} : { filter: { field: 'project', op: 'eq', value: project } as const }),
    });
    return { triggers: found.items.map(({ document }) => triggerView(document)), page: pageInfo(found) };
  },
  deleteTrigger: async ({ name, actor }) => {
    await deleteTrigger(context, requireText('name', name), actor);
    await triggers.changed();
    return {};
  },
  listReactions: async () => ({ reactions: await listReactions(context) }),
  setReaction: async ({ name, enabled, actor }) => {
    const reaction = await setReaction(context, requireText('name', name), enabled, actor);
    await triggers.changed();
    return { reaction };
  },
});

const pageInfo = ({ nextCursor }: Page<unknown>): { nextCursor: string } => ({
  nextCursor: nextCursor ?? '',
});

const checkActor = (actor: Actor | undefined): Actor => {
  const present = requireMessage('actor', actor);
  requireText('actor.name', present.name);
  return present;
};
