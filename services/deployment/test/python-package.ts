import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import type { PackageFiles } from '@millrace/modeling';
import {
  environmentSpecOf,
  type PythonEnvironment,
  PythonEnvironments,
  runPythonJob,
} from '@millrace/python-runtime';
import { type Table, writeTable } from '@millrace/tabular';

/** Longest time that the environment takes the first time on a machine, milliseconds. */
export const buildTimeoutMs = 600_000;

const steps = {
  'steps/train.py': `from sklearn.linear_model import LinearRegression


def estimator_fn(estimator_params=None):
    return LinearRegression()
`,
  'steps/custom_metrics.py': '',
};

/** A model that a Python recipe trained: it answers `2 * distance + 1`. */
export const linearPythonModel = async (): Promise<PackageFiles> => {
  const directory = await mkdtemp(join(tmpdir(), 'millrace-python-model-'));
  try {
    const environment = await PythonEnvironments.open().ensure(
      environmentSpecOf({ listFiles: () => [], readFile: () => undefined }, []),
    );
    return await trainIn(directory, environment);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
};

const trainIn = async (directory: string, environment: PythonEnvironment): Promise<PackageFiles> => {
  const project = join(directory, 'project');
  await mkdir(join(project, 'steps'), { recursive: true });
  for (const [path, text] of Object.entries(steps)) await writeFile(join(project, path), text);
  const train = join(directory, 'train.parquet');
  await writeTable(trips(40), train);
  const common = { project, target_col: 'late', task: 'regression', positive_class: null, seed: 42 };
  const splits = { train, validation: train };
  const output = join(directory, 'output');
  const run = (job: string, input: object) =>
    runPythonJob({
      environment,
      job,
      input: { ...common, ...splits, ...input, output_dir: output },
      userRoot: project,
    });
  await run('transform', { transformer_method: null });
  await run('train', {
    transformed_train: join(output, 'transformed_training_data.parquet'),
    transformed_validation: join(output, 'transformed_validation_data.parquet'),
    transformer: join(output, 'transformer.pkl'),
    config: { using: 'custom', estimator_method: 'estimator_fn', estimator_params: {} },
    primary_metric: 'root_mean_squared_error',
    greater_is_better: false,
    custom_metrics: [],
    environment: {
      python_version: environment.pythonVersion,
      requirements: environment.lock.split('\n').filter((line) => line !== ''),
    },
    code_files: Object.keys(steps),
  });
  return filesBelow(join(output, 'model'));
};

const trips = (rows: number): Table => {
  const distances = Array.from({ length: rows }, (_, row) => row + 1);
  return {
    rowCount: rows,
    columns: [
      { name: 'distance', type: 'number', values: distances },
      { name: 'late', type: 'number', values: distances.map((distance) => 2 * distance + 1) },
    ],
  };
};

const filesBelow = async (directory: string): Promise<PackageFiles> => {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return new Map(
    await Promise.all(
      files.map(
        async (file): Promise<[string, Uint8Array]> => [relative(directory, file), await readFile(file)],
      ),
    ),
  );
};
