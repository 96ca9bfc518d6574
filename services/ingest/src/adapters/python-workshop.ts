import { readFileSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { BlobStore } from '@millrace/blobs';
import {
  environmentSpecOf,
  type PythonEnvironment,
  type PythonEnvironments,
  runPythonJob,
} from '@millrace/python-runtime';
import {
  layOutProject,
  type PythonRecipe,
  pythonEnvironmentSpec,
  pythonRecipe,
  type StepContext,
} from '@millrace/service-kit';

/** How Python runs in this service. */
export interface PythonSettings {
  readonly environments: PythonEnvironments;
  /** Limit of the resident memory of a worker and all that it starts, MiB. */
  readonly memoryMb: number;
}

/** Where the Python of one step works: a copy of the project and the environment of the run. */
export interface PythonWorkshop {
  readonly environment: PythonEnvironment;
  /** Runs a job of Millrace's Python package; `input` goes beside what every job is told of the recipe. */
  run<Output>(job: string, input: object, part: ProgressPart): Promise<Output>;
}

/** The job's own progress becomes the part of the step's between two fractions. */
export interface ProgressPart {
  readonly from: number;
  readonly to: number;
  /** What the job does, for people. */
  readonly activity: string;
}

/** The workshop of the step that makes the environment: it resolves what the project requires. */
export const openFirstWorkshop = async (
  python: PythonSettings,
  blobs: BlobStore,
  step: StepContext,
  directory: string,
): Promise<PythonWorkshop> => {
  const project = await layOut(blobs, step, directory);
  const files = new Set(project.files);
  const spec = environmentSpecOf(
    {
      listFiles: () => project.files,
      readFile: (path) => (files.has(path) ? readFileSync(join(project.root, path), 'utf8') : undefined),
    },
    step.command.recipe?.pythonNeeds ?? [],
  );
  return openWorkshop(python, step, project.root, { ...spec, projectRoot: project.root });
};

/** The workshop of a later step, in the environment that the first one recorded. */
export const openLaterWorkshop = async (
  python: PythonSettings,
  blobs: BlobStore,
  step: StepContext,
  directory: string,
): Promise<PythonWorkshop> => {
  const spec = await pythonEnvironmentSpec(blobs, step);
  const { root } = await layOut(blobs, step, directory);
  return openWorkshop(python, step, root, spec);
};

const layOut = async (blobs: BlobStore, { command }: StepContext, directory: string) => {
  const root = join(directory, 'project');
  await mkdir(root);
  return { root, files: await layOutProject(blobs, command, root) };
};

const openWorkshop = async (
  { environments, memoryMb }: PythonSettings,
  { command, progress, signal, log }: StepContext,
  project: string,
  spec: Parameters<PythonEnvironments['ensure']>[0],
): Promise<PythonWorkshop> => {
  const environment = await environments.ensure(spec, {
    signal,
    onProgress: (line) => progress(0.1, `environment: ${line}`),
  });
  const recipe: PythonRecipe = pythonRecipe(command, project);
  return {
    environment,
    run: (job, input, { from, to, activity }) =>
      runPythonJob({
        environment,
        job,
        input: { ...recipe, ...input },
        userRoot: project,
        memoryMb,
        activity,
        signal,
        onProgress: ({ fraction, message }) =>
          progress(fraction < 0 ? from : from + (to - from) * fraction, message),
        onLog: ({ stream, text }) => log.info({ stream }, text),
      }),
  };
};
