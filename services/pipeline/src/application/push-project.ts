import type { Actor } from '@millrace/contracts/common';
import type { ProjectSnapshot } from '@millrace/contracts/step';
import { Internal } from '@millrace/errors';
import { type Project, pushRevision } from '../domain/project.ts';
import type { PipelineContext } from './context.ts';
import { checkSnapshot, resolveProject } from './open-project.ts';

/** Makes a snapshot the one that triggers run, if its recipe is right. Throws `Invalid` when it is not. */
export const pushProject = async (
  context: PipelineContext,
  snapshot: ProjectSnapshot | undefined,
  profile: string,
  actor: Actor | undefined,
): Promise<Project> => {
  const checked = checkSnapshot(snapshot);
  await resolveProject(context, checked, profile);
  const stored = await context.collections.projects.update(checked.project, (current) => {
    const project = pushRevision(current?.document, { snapshot: checked, profile }, context.now());
    const isKnown = current?.document.pushed === true && current.document.revision === project.revision;
    return {
      document: project,
      messages: isKnown ? [] : [context.changeMessages.projectPushed(project, actor)],
    };
  });
  if (stored === undefined) throw new Internal(`project ${checked.project} was not stored`);
  return stored.document;
};
