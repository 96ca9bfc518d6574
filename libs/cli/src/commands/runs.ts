import { relative } from 'node:path';
import { type Run, RunState } from '@millrace/contracts/pipeline';
import type { JsonObject } from '@millrace/recipe';
import type { Command } from 'commander';
import pc from 'picocolors';
import { action } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { between, figure, short, state, time, word } from '../format.ts';
import { wholeNumber } from '../options.ts';
import {
  findProject,
  type LocalProject,
  readLocalProject,
  uploadProject,
} from '../project/upload-project.ts';
import { checkScoredOutput, writeScoredOutput } from '../project/write-scored.ts';
import { firstAnew, readCleanedSteps, unmarkDone } from '../recipes/cleaned-steps.ts';
import { stepsTo } from '../recipes/recipe-steps.ts';
import { inspectStep, type OpenOptions } from '../recipes/show-card.ts';
import { findRun } from '../references.ts';
import { awaitedVersion, followRun } from '../views/run-display.ts';
import { outcomeOf, throwIfFailed } from '../views/run-outcome.ts';
import { summaryOf } from '../views/steps-view.ts';

export interface ProjectOptions {
  readonly project?: string;
  readonly profile?: string;
}

export interface RunOptions extends ProjectOptions {
  readonly step?: string;
  readonly from?: string;
  readonly cache: boolean;
  readonly detach?: boolean;
}

const readProject = async (options: ProjectOptions): Promise<LocalProject> =>
  readLocalProject(await findProject(options.project ?? '.'), options.profile);

/** Uploads a project of this machine and says what is odd about it. */
const prepare = async (context: CommandContext, project: LocalProject) => {
  const client = await context.client();
  for (const warning of project.warnings) context.output.note(pc.yellow(`warning ${warning}`));
  const snapshot = await uploadProject(client, project, (path) =>
    context.output.note(pc.dim(`uploading ${path}`)),
  );
  return { client, snapshot };
};

const run = async (context: CommandContext, options: RunOptions): Promise<void> =>
  runRecipe(context, await readProject(options), options);

/** Runs the recipe of a project and shows its steps; steps that were cleaned are done anew. */
export const runRecipe = async (
  context: CommandContext,
  project: LocalProject,
  options: Omit<RunOptions, 'project'>,
): Promise<void> => {
  const { client, snapshot } = await prepare(context, project);
  if (options.step === 'predict') await checkScoredOutput(project.root, project.recipe);
  const cleaned = await readCleanedSteps(project.root);
  const range = { from: options.from, to: options.step };
  const { run: submitted } = await client.pipeline.submitRun({
    snapshot,
    profile: options.profile ?? '',
    fromStep: firstAnew(stepsTo(project.recipe, options.step), cleaned, range) ?? '',
    toStep: options.step ?? '',
    noCache: !options.cache,
  });
  if (submitted === undefined) return;
  if (options.detach) {
    context.output.result(submitted, () => context.output.write(submitted.id));
    tellLater(context, project, submitted);
    return;
  }
  context.output.note(`${pc.bold(submitted.id)} ${pc.dim(`#${submitted.number} of ${snapshot.project}`)}`);
  const last = await followToEnd(context, submitted);
  await unmarkDone(project.root, last);
  const written = await writeScoredOutput(client, project.root, last);
  if (written !== undefined) context.output.note(`predictions written to ${written}`);
  conclude(context, last);
};

/** How to come by what an attached command would have shown or written into the project. */
const tellLater = ({ output }: CommandContext, { root, recipe }: LocalProject, run: Run): void => {
  output.note(pc.dim(`its steps: millrace watch ${run.id}`));
  const { predict } = recipe.scoring;
  if (predict === undefined || !run.steps.some(({ name }) => name === 'predict')) return;
  const { location } = predict.config.output as JsonObject;
  const isHere = !relative(root, process.cwd()).startsWith('..');
  const options = `${isHere ? '' : ` --project ${root}`}${recipe.profile === '' ? '' : ` --profile ${recipe.profile}`}`;
  output.note(
    pc.dim(
      `its predictions, once it has succeeded: millrace recipes get-artifact -a scored_data${options}\n` +
        `or written to ${location} from the cache: millrace recipes run -s predict${options}`,
    ),
  );
};

const follow = async (context: CommandContext, run: Run): Promise<void> =>
  conclude(context, await followToEnd(context, run));

/** Shows a run to its end; Ctrl-C asks the pipeline to give it up. */
const followToEnd = async (context: CommandContext, run: Run): Promise<Run> => {
  const client = await context.client();
  let asked = false;
  const cancel = () => {
    if (asked) process.exit(130);
    asked = true;
    context.output.note('cancelling (Ctrl-C again leaves it running) …');
    void client.pipeline
      .cancelRun({ id: run.id, actor: { name: '', reason: 'Ctrl-C' } })
      .catch(() => process.exit(130));
  };
  process.on('SIGINT', cancel);
  const last = await followRun(client, run, context.output, { untilWaiting: true });
  process.off('SIGINT', cancel);
  return last;
};

/** Prints what became of a run. Throws the error that it ended with. */
const conclude = (context: CommandContext, run: Run): void => {
  context.output.result(run, () => summarise(context, run));
  throwIfFailed(run);
};

const summarise = ({ output }: CommandContext, run: Run): void => {
  output.write(`${pc.bold(run.id)} ${outcomeOf(run)}`);
  if (run.state === RunState.RUN_STATE_WAITING) {
    const step = run.steps.find(({ waitingFor }) => waitingFor !== '');
    const version = awaitedVersion(run);
    output.write(
      `${step?.name} waits for ${step?.waitingFor}.${version === undefined ? '' : ` Next: millrace approve ${version}`}`,
    );
  }
  output.write(
    pc.dim(`millrace inspect ${run.id}   millrace trace ${run.id}   millrace lineage pipeline_run:${run.id}`),
  );
};

const push = async (context: CommandContext, options: ProjectOptions): Promise<void> => {
  const { client, snapshot } = await prepare(context, await readProject(options));
  const { project } = await client.pipeline.pushProject({ snapshot, defaultProfile: options.profile ?? '' });
  context.output.result(project, () =>
    context.output.write(
      `${project?.name} revision ${project?.revision}, snapshot ${short(snapshot.manifestDigest)}`,
    ),
  );
};

const plan = async (context: CommandContext, options: ProjectOptions): Promise<void> => {
  const { client, snapshot } = await prepare(context, await readProject(options));
  const planned = await client.pipeline.planRun({ snapshot, profile: options.profile ?? '' });
  context.output.result(planned, ({ steps, recipe }) => {
    context.output.write(
      `${recipe?.kind}, target ${recipe?.targetColumn}, primary metric ${recipe?.primaryMetric}`,
    );
    context.output.table(
      ['STEP', 'SERVICE'],
      steps.map(({ name, service }) => [name, service]),
      'no steps',
    );
  });
};

const cancel = async (context: CommandContext, id: string, options: { reason?: string }): Promise<void> => {
  const client = await context.client();
  const found = await findRun(client, id);
  const { run } = await client.pipeline.cancelRun({ id: found.id, actor: { reason: options.reason ?? '' } });
  context.output.result(run, () => context.output.write(`${found.id} is being cancelled`));
};

const resume = async (context: CommandContext, id: string): Promise<void> => {
  const client = await context.client();
  const found = await findRun(client, id);
  const { run } = await client.pipeline.resumeRun({ id: found.id });
  if (run !== undefined) await follow(context, run);
};

const watch = async (context: CommandContext, id: string): Promise<void> => {
  const client = await context.client();
  await follow(context, await findRun(client, id));
};

const inspect = async (
  context: CommandContext,
  id: string,
  { step, open }: OpenOptions & { readonly step?: string },
): Promise<void> => {
  if (step !== undefined) return inspectStep(context, id, { step, open });
  const { output } = context;
  const run = await findRun(await context.client(), id);
  output.result(run, () => {
    output.write(`${pc.bold(run.id)} #${run.number} of ${run.project?.project}: ${outcomeOf(run)}`);
    output.write(
      pc.dim(
        `submitted ${time(run.createdAt)} by ${run.submittedBy?.name}${run.causedBy === '' ? '' : `, caused by ${run.causedBy}`}; trace ${run.traceId}`,
      ),
    );
    for (const step of run.steps) {
      const took = between(step.startedAt, step.finishedAt);
      output.write(`\n${pc.bold(step.name)} ${state(word(step.state, 'STEP_STATE'))} ${pc.dim(took)}`);
      if (step.cache !== undefined) output.write(`  cache    ${step.cache.reason}`);
      const summary = summaryOf(step, 12);
      if (summary !== '') output.write(`  summary  ${summary}`);
      for (const { name, kind, id: ref, digest } of step.outputs) {
        output.write(`  output   ${name} ${pc.dim(`${kind} ${ref} ${short(digest)}`)}`);
      }
      for (const warning of step.warnings) output.write(pc.yellow(`  warning  ${warning}`));
      if (step.error !== undefined)
        output.write(pc.red(`  error    ${step.error.code}: ${step.error.message}`));
    }
  });
};

const list = async (context: CommandContext, options: { project?: string; limit: number }): Promise<void> => {
  const client = await context.client();
  const { runs } = await client.pipeline.listRuns({
    project: options.project ?? '',
    page: { limit: options.limit },
  });
  context.output.result(runs, () =>
    context.output.table(
      ['RUN', '#', 'PROJECT', 'STATE', 'CREATED', 'TOOK', 'BY'],
      runs.map((run) => [
        run.id,
        String(run.number),
        run.project?.project ?? '',
        word(run.state, 'RUN_STATE'),
        time(run.createdAt),
        between(run.createdAt, run.finishedAt),
        run.causedBy === '' ? (run.submittedBy?.name ?? '') : run.causedBy,
      ]),
      'no runs yet',
    ),
  );
};

const compare = async (context: CommandContext, ids: string[]): Promise<void> => {
  const client = await context.client();
  const runIds = await Promise.all(
    ids.map(async (id) => (isTrainingRun(id) ? id : trainingRunOf(await findRun(client, id)))),
  );
  const { fields, runs } = await client.training.compareRuns({ runIds });
  context.output.result({ runs, fields }, () =>
    context.output.table(
      ['', ...ids],
      fields
        .filter(({ differs, name }) => differs || name.startsWith('metrics.'))
        .map(({ name, values }) => [name, ...values.map(cell)]),
      'nothing differs',
    ),
  );
};

const isTrainingRun = (id: string): boolean => /^[0-9a-f]{32}$/.test(id);

const trainingRunOf = (run: Run): string =>
  run.steps.flatMap(({ outputs }) => outputs).find(({ kind }) => kind === 'training_run')?.id ?? run.id;

const cell = (value: unknown): string =>
  typeof value === 'number' ? figure(value) : value === null || value === undefined ? '' : String(value);

export const runCommands = (program: Command): void => {
  const withProject = (command: Command): Command =>
    command
      .option('--project <directory>', 'recipe project (default: found from here upwards)')
      .option('-P, --profile <name>', "file in profiles/ that fills the recipe's variables");
  withProject(program.command('run'))
    .description('run the recipe of this project and show its steps live')
    .option('-s, --step <step>', 'stop after this step; predict scores a batch')
    .option('--from <step>', 'run anew from this step on')
    .option('--no-cache', 'run every step anew')
    .option('-d, --detach', 'print the run id and return')
    .option('--progress', 'with --json: tell on standard error what happens meanwhile')
    .action(action(run));
  withProject(program.command('push'))
    .description("make this project's files the ones that triggers run")
    .action(action(push));
  withProject(program.command('plan'))
    .description('check the recipe and show its steps')
    .action(action(plan));
  program.command('watch <run>').description('follow a run').action(action(watch));
  program
    .command('cancel <run>')
    .description('give a run up')
    .option('--reason <text>', 'why; kept in the audit log')
    .action(action(cancel));
  program
    .command('resume <run>')
    .description('continue a run from the step where it ended')
    .action(action(resume));
  program
    .command('inspect <run>')
    .description('steps, outputs, cache decisions and errors of a run')
    .option('-s, --step <step>', 'write the card of this step as a page and open it')
    .option('--no-open', 'only print where it is')
    .action(action(inspect));
  const runs = program.command('runs').description('pipeline runs');
  runs
    .command('list', { isDefault: true })
    .description('newest first')
    .option('--project <name>', 'only of this project')
    .option('-n, --limit <count>', 'how many', wholeNumber, 20)
    .action(action(list));
  runs
    .command('compare <runs...>')
    .description('params and metrics of runs side by side')
    .action(action(compare));
};
