import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { PythonEnvironment } from '@millrace/python-runtime';
import {
  layOutProject,
  type PythonRecipe,
  pythonEnvironmentSpec,
  pythonRecipe,
  type StepContext,
} from '@millrace/service-kit';
import { jobHooks } from '../job-hooks.ts';
import type { PythonJob, TrainingContext } from '../ports.ts';
import { layOutBlob } from '../workspace.ts';

/** Where a step's Python jobs work: the project, the environment, and directories for what they read and write. */
export interface Workshop {
  readonly environment: PythonEnvironment;
  readonly recipe: PythonRecipe;
  /** Files of the project, relative to its root. */
  readonly projectFiles: readonly string[];
  /** Where jobs write; exists. */
  readonly output: string;
  /** Makes an input of the step readable as a Parquet file, whose path it answers. */
  input(name: string): Promise<string>;
  /** The job's own progress becomes the part of the step's between the two fractions. */
  run<Output>(job: PythonJob, input: unknown, part: readonly [from: number, to: number]): Promise<Output>;
}

/** Lays the project out below `directory` and makes the run's environment ready. */
export const openWorkshop = async (
  { blobs, python }: TrainingContext,
  step: StepContext,
  directory: string,
): Promise<Workshop> => {
  const made = async (name: string): Promise<string> => {
    await mkdir(join(directory, name));
    return join(directory, name);
  };
  const [project, output, inputs] = [await made('project'), await made('output'), await made('inputs')];
  const projectFiles = await layOutProject(blobs, step.command, project);
  const spec = await pythonEnvironmentSpec(blobs, step);
  const hooks = jobHooks(step);
  const environment = await python.environment(spec, {
    signal: step.signal,
    onProgress: (line) => step.progress(0.02, line),
  });
  return {
    environment,
    recipe: pythonRecipe(step.command, project),
    projectFiles,
    output,
    input: (name) => layOutBlob(blobs, step.input(name).digest, join(inputs, `${name}.parquet`)),
    run: (job, input, [from, to]) =>
      python.run(
        job,
        input,
        { environment, project },
        {
          ...hooks,
          onProgress: ({ fraction, message }) =>
            step.progress(fraction < 0 ? from : from + (to - from) * fraction, message),
        },
      ),
  };
};
