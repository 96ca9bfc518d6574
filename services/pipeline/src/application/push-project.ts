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
): Promise<Project> => {
  const checked = checkSnapshot(snapshot);
  await resolveProject(context, checked, profile);
  const stored = await context.collections.projects.update(checked.project, (current) => ({
    document: pushRevision(current?.document, { snapshot: checked, profile }, context.now()),
  }));
  if (stored === undefined) throw new Internal(`project ${checked.project} was not stored`);
  return stored.document;
};
