import { pipelineEvents } from '@millrace/contracts/pipeline';
import { eventMessage } from '@millrace/service-kit';
import type { ChangeMessages } from '../application/context.ts';
import { projectView, triggerView } from './views.ts';

/** The events of what people change apart from runs. */
export const changeMessages: ChangeMessages = {
  projectPushed: (project, actor) =>
    eventMessage(pipelineEvents.projectPushed, project.name, { project: projectView(project), actor }),
  triggerCreated: (trigger, actor) =>
    eventMessage(pipelineEvents.triggerCreated, trigger.name, { trigger: triggerView(trigger), actor }),
  triggerSwitched: (trigger, actor) =>
    eventMessage(pipelineEvents.triggerSwitched, trigger.name, { trigger: triggerView(trigger), actor }),
  triggerDeleted: (trigger, actor) =>
    eventMessage(pipelineEvents.triggerDeleted, trigger.name, { trigger: triggerView(trigger), actor }),
  reactionSwitched: (reaction, actor) =>
    eventMessage(pipelineEvents.reactionSwitched, reaction.name, { reaction, actor }),
};
