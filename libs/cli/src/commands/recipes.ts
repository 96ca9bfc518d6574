import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { MillraceClient } from '@millrace/client';
import { Invalid, NotFound } from '@millrace/errors';
import { graphOf, refuseScoring } from '@millrace/recipe';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { findProject, type LocalProject, readLocalProject } from '../project/upload-project.ts';
import { artifactPlace } from '../recipes/artifact-names.ts';
import { markCleaned, readCleanedSteps } from '../recipes/cleaned-steps.ts';
import { fetchArtifact } from '../recipes/fetch-artifact.ts';
import { latestDoneStep, latestStep, notRun, type RecipeRuns, recentRuns } from '../recipes/latest-step.ts';
import { stepsOf } from '../recipes/recipe-steps.ts';
import { type OpenOptions, showCard, showPage } from '../recipes/show-card.ts';
import { artifactDirectory } from '../recipes/state-directory.ts';
import { ensureRunning } from './lifecycle.ts';
import { type ProjectOptions, runRecipe } from './runs.ts';

interface RecipeOptions extends ProjectOptions {
  readonly step?: string;
}

interface RecipeRunOptions extends RecipeOptions {
  readonly detach?: boolean;
}

/** The step that a recipe of MLflow runs up to when none is named. */
const usualTarget = 'register';

/** A recipe of this machine with the Millrace that runs it, started if need be. */
interface OpenRecipe {
  readonly context: CommandContext;
  readonly project: LocalProject;
  readonly runs: RecipeRuns;
}

/** The profile that is named, else the one that MLflow's variables name. */
const profileOf = ({ profile }: ProjectOptions): string | undefined =>
  profile ?? (process.env.MLFLOW_RECIPES_PROFILE || process.env.MLFLOW_PIPELINES_PROFILE || undefined);

const openRecipe = async (given: CommandContext, options: ProjectOptions): Promise<OpenRecipe> => {
  const root = await findProject(options.project ?? '.');
  const profile = profileOf(options);
  const project = await readLocalProject(root, profile);
  return {
    context: given.inProject(root),
    project,
    runs: { project: project.recipe.name, profile: profile ?? '' },
  };
};

/** Runs `work` with the recipe and a Millrace that answers. */
const withRecipe = async (
  given: CommandContext,
  options: ProjectOptions,
  work: (recipe: OpenRecipe, client: MillraceClient) => Promise<void>,
): Promise<void> => {
  const recipe = await openRecipe(given, options);
  try {
    await ensureRunning(recipe.context);
    await work(recipe, await recipe.context.client());
  } finally {
    await recipe.context.close();
  }
};

const requireStep = ({ project }: OpenRecipe, step: string): void => {
  const steps = stepsOf(project.recipe);
  if (steps.includes(step)) return;
  if (graphOf(step) === 'scoring') refuseScoring(project.recipe);
  throw Invalid.field('--step', `the recipe has no step "${step}"`, {
    hint: `Its steps are ${steps.join(', ')}.`,
  });
};

const run = (given: CommandContext, options: RecipeRunOptions): Promise<void> =>
  withRecipe(given, options, async (recipe) => {
    const { context, project } = recipe;
    if (options.step !== undefined) requireStep(recipe, options.step);
    const target = options.step ?? stepsOf(project.recipe).find((step) => step === usualTarget);
    const profile = profileOf(options);
    await runRecipe(context, project, {
      cache: true,
      detach: options.detach === true,
      ...(profile === undefined ? {} : { profile }),
      ...(target === undefined ? {} : { step: target }),
    });
  });

const getArtifact = async (
  given: CommandContext,
  options: ProjectOptions & { readonly artifact: string },
): Promise<void> => {
  const place = artifactPlace(options.artifact);
  await withRecipe(given, options, async ({ context, project, runs }, client) => {
    if ((await readCleanedSteps(project.root)).has(place.step)) throw notRun(place.step);
    const found = latestDoneStep(await recentRuns(client, runs), place.step);
    const artifact = place.outputs
      .map((name) => found.step.outputs.find((output) => output.name === name))
      .find((output) => output !== undefined);
    if (artifact === undefined) {
      throw new NotFound(`step ${place.step} of ${found.run.id} made no ${options.artifact}`);
    }
    const directory = artifactDirectory(project.root, place.step);
    const path = await fetchArtifact(client, artifact, directory, place.file);
    const { kind, mediaType } = artifact;
    const told = { artifact: options.artifact, path, kind, mediaType, step: place.step, run: found.run.id };
    context.output.result(told, () => context.output.write(path));
  });
};

const inspect = async (given: CommandContext, options: RecipeOptions & OpenOptions): Promise<void> =>
  withRecipe(given, options, async (recipe, client) => {
    const runs = await recentRuns(client, recipe.runs);
    const { step } = options;
    if (step === undefined) {
      showPage(recipe.context, { path: await writeGraph(recipe, runs) }, options.open);
      return;
    }
    requireStep(recipe, step);
    const latest = latestStep(runs, step);
    if (latest === undefined) throw notRun(step);
    await showCard(recipe.context, client, latest, recipe.project.root, options.open);
  });

const writeGraph = async (
  { project: { root, recipe } }: OpenRecipe,
  runs: Awaited<ReturnType<typeof recentRuns>>,
): Promise<string> => {
  // Only here are pages made, and every command would wait for the drawing library.
  const { graphPage } = await import('../recipes/graph-page.ts');
  const cleaned = await readCleanedSteps(root);
  const steps = stepsOf(recipe).map((name) => ({
    name,
    latest: latestStep(runs, name),
    cleaned: cleaned.has(name),
  }));
  const directory = artifactDirectory(root, '');
  await mkdir(directory, { recursive: true });
  const path = join(directory, 'recipe.html');
  await writeFile(path, graphPage(recipe, steps));
  return path;
};

/** Needs no Millrace: it is this copy of the project whose next run does the steps anew. */
const clean = async (given: CommandContext, options: RecipeOptions): Promise<void> => {
  const recipe = await openRecipe(given, options);
  const { root, recipe: content } = recipe.project;
  if (options.step !== undefined) requireStep(recipe, options.step);
  const steps = options.step === undefined ? stepsOf(content) : [options.step];
  await markCleaned(root, steps);
  for (const step of steps) await rm(artifactDirectory(root, step), { recursive: true, force: true });
  given.output.result({ cleaned: steps }, () =>
    given.output.write(
      `cleaned ${steps.join(', ')} ${pc.dim('(the next run does it anew; what was tracked stays)')}`,
    ),
  );
};

export const recipeCommands = (program: Command): void => {
  const group = program.command('recipes').description('what `mlflow recipes` did, for the project here');
  const recipeCommand = (name: string): Command =>
    group
      .command(name)
      .option('--project <directory>', 'recipe project (default: found from here upwards)')
      .option('-p, --profile <name>', 'profile (default: MLFLOW_RECIPES_PROFILE, MLFLOW_PIPELINES_PROFILE)');
  recipeCommand('run')
    .description('run the recipe to the step register, or to another; starts Millrace if none runs')
    .option('-s, --step <step>', 'stop after this step')
    .option('-d, --detach', 'print the run id and return')
    .option('--progress', 'with --json: tell on standard error what happens meanwhile')
    .action(action(run));
  recipeCommand('inspect')
    .description('write the card of a step, or the graph of the recipe, as a page and open it')
    .option('-s, --step <step>', 'card of this step')
    .option('--no-open', 'only print where it is')
    .action(action(inspect));
  recipeCommand('get-artifact')
    .description('fetch what a step made and print where it is')
    .requiredOption('-a, --artifact <name>', 'ingested_data, training_data, model, run, …')
    .action(action(getArtifact));
  recipeCommand('clean')
    .description('have the next run do a step anew, or all; what was tracked stays')
    .option('-s, --step <step>', 'only this step, and what follows from it')
    .action(action(clean));
};
