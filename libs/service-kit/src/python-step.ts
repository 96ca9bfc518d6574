import { type BlobStore, parseDigest } from '@millrace/blobs';
import type { StepCommand } from '@millrace/contracts/step';
import type { EnvironmentSpec } from '@millrace/python-runtime';
import { z } from 'zod';
import { requireMessage, requireText } from './checks.ts';
import { openProject } from './project-files.ts';
import type { StepContext } from './step-worker.ts';

/** Whether the recipe's steps from ingest to evaluate run in Python. */
export const isPythonRecipe = ({ recipe }: Pick<StepCommand, 'recipe'>): boolean =>
  recipe?.runtime === 'python';

/** What every Python job is told of the recipe, under the names of the jobs. */
export interface PythonRecipe {
  /** Root of the laid out project. */
  readonly project: string;
  readonly target_col: string;
  readonly task: string;
  /** In the type that the recipe gives it; null without one. */
  readonly positive_class: unknown;
  readonly seed: number;
}

/** Throws `Invalid` naming the field that is missing. */
export const pythonRecipe = (command: StepCommand, project: string): PythonRecipe => {
  const recipe = requireMessage('recipe', command.recipe);
  return {
    project,
    target_col: requireText('recipe.target_column', recipe.targetColumn),
    task: recipe.task,
    positive_class: recipe.positiveClassValue ?? null,
    seed: recipe.seed,
  };
};

/**
 * Lays the files of the command's project out below `directory`, as copies that its code may change, and returns
 * their paths. Throws `Invalid` without a project.
 */
export const layOutProject = async (
  blobs: BlobStore,
  { project }: StepCommand,
  directory: string,
): Promise<readonly string[]> => {
  const manifestDigest = requireText('project.manifest_digest', project?.manifestDigest ?? '');
  const opened = await openProject(blobs, manifestDigest);
  await opened.materialize(opened.files, directory);
  return opened.files.map(({ path }) => path);
};

const recordedEnvironment = z.object({
  pythonVersion: z.string(),
  lock: z.string(),
  wheels: z.record(z.string(), z.string()).optional(),
});
/** Packages of the project's own are in it. */
const maxEnvironmentBytes = 128 * 1024 * 1024;

/** The environment that ingest recorded for all steps of the run (its output `environment`). */
export const pythonEnvironmentSpec = async (
  blobs: BlobStore,
  step: Pick<StepContext, 'input'>,
): Promise<EnvironmentSpec> => {
  const bytes = await blobs.read(parseDigest(step.input('environment').digest), maxEnvironmentBytes);
  const { pythonVersion, lock, wheels } = recordedEnvironment.parse(
    JSON.parse(new TextDecoder().decode(bytes)),
  );
  return {
    python: pythonVersion,
    requirements: [],
    needs: [],
    lock,
    ...(wheels === undefined ? {} : { wheels }),
  };
};
