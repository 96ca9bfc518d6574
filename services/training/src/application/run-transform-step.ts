import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PackagedTransform } from '@millrace/modeling';
import {
  isPythonRecipe,
  requireMessage,
  requireText,
  type StepContext,
  type StepHandler,
  type StepResult,
  withCard,
} from '@millrace/service-kit';
import { describeParquet } from '../card/describe-parquet.ts';
import { describeTransform } from '../card/describe-transform.ts';
import { transformCard } from '../card/transform-card.ts';
import { estimatorTask, taskOf } from '../domain/task.ts';
import { type TransformPlan, transformPlan } from '../domain/transform-plan.ts';
import type { FitTransformInput, FitTransformOutput } from '../jobs/fit-transform.job.ts';
import type { PrepareInput, PrepareOutput } from '../jobs/prepare.job.ts';
import type { StoreTableInput } from '../jobs/store-table.job.ts';
import type { UserTransformInput, UserTransformOutput } from '../jobs/user-transform.job.ts';
import { jobHooks } from './job-hooks.ts';
import type { TrainingContext } from './ports.ts';
import { runPythonTransform } from './python/transform.ts';
import { type StoredPackage, storePackageFiles } from './store-package.ts';
import { UserProject } from './user-code.ts';
import { inWorkspace, layOutBlob, packageArtifact } from './workspace.ts';

interface FittedTransform {
  readonly stored: StoredPackage;
  readonly rows: number;
  readonly inputColumns: number;
  readonly outputColumns: number;
  readonly warnings: readonly string[];
  readonly definition: PackagedTransform;
  readonly inputSchema: FitTransformOutput['inputSchema'];
  /** File of the transformed training rows, serialized. */
  readonly transformed: string;
}

/**
 * The step `transform`. Inputs: the splits `train` and, for user code, `validation`. Output: `transform`, a package
 * of `transform.json` with its state and user code. Fitted on the training split alone. A recipe in Python gives more
 * (`runPythonTransform`).
 */
export const runTransformStep =
  (context: TrainingContext): StepHandler =>
  async (step) => {
    if (isPythonRecipe(step.command)) return runPythonTransform(context, step);
    const plan = transformPlan(step.command.config ?? {});
    return inWorkspace(context.tempDir, async (directory) => {
      const fitted = await (plan.kind === 'typescript'
        ? fitUserTransform(context, step, plan, directory)
        : fitBuiltIn(context, step, plan, directory));
      return withCard(step, context.blobs, resultOf(plan, fitted), async (made) => {
        step.progress(0.8, 'looking at the transformed data');
        return drawCard(context, step, usingOf(plan), fitted, made);
      });
    });
  };

const usingOf = (plan: TransformPlan): string =>
  plan.kind === 'typescript' ? `custom:${plan.method}` : plan.kind;

const drawCard = async (
  { jobs }: TrainingContext,
  step: StepContext,
  using: string,
  { rows, definition, inputSchema, transformed: table }: FittedTransform,
  made: StepResult,
): Promise<string> => {
  const store: StoreTableInput = { table, output: `${table}.parquet` };
  await jobs.run<null>('store-table', store, jobHooks(step));
  const transformed = await describeParquet(store.output, {
    profile: step.command.config?.skip_data_profiling !== true,
    signal: step.signal,
  });
  return transformCard(
    step.command,
    {
      using,
      rows,
      description: describeTransform(definition),
      inputSchema,
      outputSchema: transformed.columns,
      transformed,
    },
    made,
  );
};

const resultOf = (
  plan: TransformPlan,
  { stored, rows, inputColumns, outputColumns, warnings }: FittedTransform,
): StepResult => {
  const using = usingOf(plan);
  return {
    outputs: [
      packageArtifact('transform', 'transform', stored, {
        using,
        inputColumns: String(inputColumns),
        outputColumns: String(outputColumns),
      }),
    ],
    summary: { using, rows, inputColumns, outputColumns },
    warnings,
  };
};

const splitInputs = ({ command }: StepContext) => {
  const recipe = requireMessage('recipe', command.recipe);
  return {
    targetColumn: requireText('recipe.target_column', recipe.targetColumn),
    task: estimatorTask(taskOf(recipe)),
  };
};

const fitBuiltIn = async (
  { blobs, jobs }: TrainingContext,
  step: StepContext,
  plan: Exclude<TransformPlan, { kind: 'typescript' }>,
  directory: string,
): Promise<FittedTransform> => {
  step.progress(0.1, 'fitting the transform');
  const input: FitTransformInput = {
    ...splitInputs(step),
    train: await layOutBlob(blobs, step.input('train').digest, join(directory, 'train.parquet')),
    ...(plan.kind === 'auto' ? { spec: plan.spec } : {}),
    directory,
    transformed: join(directory, 'transformed.bin'),
  };
  const { dropped, transform, ...facts } = await jobs.run<FitTransformOutput>(
    'fit-transform',
    input,
    jobHooks(step),
  );
  const stored = await storePackageFiles(
    blobs,
    new Map([['transform.json', await readFile(join(directory, 'transform.json'))]]),
  );
  return {
    ...facts,
    stored,
    definition: transform,
    transformed: input.transformed,
    warnings: dropped.map(({ column, reason }) => `column "${column}" is left out: ${reason}`),
  };
};

const fitUserTransform = async (
  context: TrainingContext,
  step: StepContext,
  { method }: Extract<TransformPlan, { kind: 'typescript' }>,
  directory: string,
): Promise<FittedTransform> => {
  const { blobs, jobs } = context;
  const project = await UserProject.open(context, step.command.project?.manifestDigest ?? '');
  const wanted = project.function('transform', method);
  const code = await project.layOut([wanted.file], join(directory, 'code'));
  step.progress(0.1, 'reading the splits');
  const prepare: PrepareInput = {
    ...splitInputs(step),
    train: await layOutBlob(blobs, step.input('train').digest, join(directory, 'train.parquet')),
    validation: await layOutBlob(
      blobs,
      step.input('validation').digest,
      join(directory, 'validation.parquet'),
    ),
    transform: { kind: 'none' },
    output: join(directory, 'raw.bin'),
  };
  const prepared = await jobs.run<PrepareOutput>('prepare', prepare, jobHooks(step));
  step.progress(0.4, `fitting ${method}`);
  const stateDirectory = join(directory, 'transform');
  await mkdir(stateDirectory);
  const input: UserTransformInput = {
    kind: 'fit',
    prepared: prepare.output,
    code: code.directory,
    function: wanted,
    directory: stateDirectory,
    transformed: join(directory, 'transformed.bin'),
  };
  const place = { workspace: directory, code: code.directory };
  const { stateFile, columns } = await jobs.runUser<UserTransformOutput>(
    'user-transform',
    input,
    place,
    jobHooks(step),
  );
  const definition: PackagedTransform = { kind: 'typescript', function: wanted, stateFile };
  const files = new Map<string, Uint8Array>([
    ['transform.json', new TextEncoder().encode(`${JSON.stringify(definition)}\n`)],
    [`transform/${stateFile}`, await readFile(join(stateDirectory, stateFile))],
  ]);
  for (const path of code.files) files.set(`code/${path}`, await readFile(join(code.directory, path)));
  return {
    stored: await storePackageFiles(blobs, files),
    rows: prepared.trainRows,
    inputColumns: prepared.columns,
    outputColumns: columns,
    warnings: [],
    definition,
    inputSchema: prepared.signature.inputs.map(({ name, type }) => ({ name, type })),
    transformed: input.transformed,
  };
};
