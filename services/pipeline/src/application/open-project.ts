import type { ProjectSnapshot, RecipeContext } from '@millrace/contracts/step';
import { ErrorCode, Invalid, MillraceError } from '@millrace/errors';
import {
  type DigestedFiles,
  type Graph,
  graphOf,
  isRequirementsFile,
  loadRecipe,
  type PlannedStep,
  planSteps,
  pythonNeeds,
  type Recipe,
} from '@millrace/recipe';
import { openProject, requireMessage, requireText } from '@millrace/service-kit';
import type { PipelineContext } from './context.ts';

/** Files that recipes and plans read; anything else of a snapshot is data. */
const isReadable = (path: string): boolean =>
  /\.(?:ya?ml|json|m?[jt]s|py)$/.test(path) || isRequirementsFile(path);
const maxReadableBytes = 1_048_576;
const maxTotalBytes = 32 * 1_048_576;

export interface ResolvedProject {
  readonly recipe: Recipe;
  readonly context: RecipeContext;
  readonly plan: readonly PlannedStep[];
  readonly warnings: readonly string[];
}

/**
 * Reads a snapshot's recipe and plans it: its training graph, or batch scoring when `target` is a step of that.
 * Throws `Invalid` with everything that is wrong with the project.
 */
export const resolveProject = async (
  context: PipelineContext,
  snapshot: ProjectSnapshot,
  profile: string,
  target = '',
): Promise<ResolvedProject> => {
  const files = await readFiles(context, snapshot);
  const { recipe, warnings } = loadRecipe({ ...files, profile, projectName: snapshot.project });
  const graph = graphOf(target);
  const plan = planSteps(recipe, files, graph === 'scoring' ? target : '');
  return { recipe, context: recipeContext(recipe, graph), plan, warnings };
};

export const checkSnapshot = (snapshot: ProjectSnapshot | undefined): ProjectSnapshot => {
  const present = requireMessage('snapshot', snapshot);
  requireText('snapshot.project', present.project);
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(present.project)) {
    throw Invalid.field(
      'snapshot.project',
      `"${present.project}" is not a name: use letters, digits, ".", "_", "-"`,
    );
  }
  requireText('snapshot.manifest_digest', present.manifestDigest);
  return present;
};

const readFiles = async ({ blobs }: PipelineContext, snapshot: ProjectSnapshot): Promise<DigestedFiles> => {
  const project = await openProject(blobs, snapshot.manifestDigest).catch(explainMissing);
  const texts = new Map<string, string>();
  const wanted = project.files.filter(({ path, size }) => isReadable(path) && size <= maxReadableBytes);
  const total = wanted.reduce((sum, { size }) => sum + size, 0);
  if (total > maxTotalBytes) {
    throw Invalid.field('snapshot', `its code and settings are larger than ${maxTotalBytes} bytes`);
  }
  await Promise.all(
    wanted.map(async ({ path }) => texts.set(path, await project.readText(path).catch(explainMissing))),
  );
  const digests = new Map(project.files.map(({ path, digest }) => [path, digest]));
  return {
    readFile: (path) => texts.get(path),
    listFiles: () => [...digests.keys()],
    digestOf: (path) => digests.get(path),
  };
};

/** A snapshot whose blobs are not there is the submitter's mistake, not a thing that was asked for by name. */
const explainMissing = (thrown: unknown): never => {
  if (thrown instanceof MillraceError && thrown.code === ErrorCode.notFound) {
    throw Invalid.field('snapshot', `is not complete in the blob store: ${thrown.message}`, {
      hint: 'Upload the files of the project and its manifest first.',
    });
  }
  throw thrown;
};

const recipeContext = (recipe: Recipe, graph: Graph): RecipeContext => ({
  kind: recipe.kind,
  task: recipe.task,
  targetColumn: recipe.targetColumn,
  positiveClass: recipe.positiveClass === undefined ? '' : String(recipe.positiveClass),
  primaryMetric: recipe.primaryMetric,
  customMetrics: recipe.customMetrics.map((metric) => ({ ...metric })),
  seed: recipe.seed,
  profile: recipe.profile,
  modelName: recipe.modelName,
  experimentName: recipe.experiment.name,
  runtime: recipe.runtime,
  positiveClassValue: recipe.positiveClass,
  pythonNeeds: [...pythonNeeds(recipe, graph)],
});
