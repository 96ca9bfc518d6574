import { environmentSpecOf, PythonEnvironments } from '@millrace/python-runtime';
import type { StepOptions } from './ingest-fixture.ts';

/** Longest time that the environment takes the first time on a machine, milliseconds. */
export const buildTimeoutMs = 600_000;

/** Makes the environment of a project without requirements, so that no step waits for it. */
export const buildEnvironment = () =>
  PythonEnvironments.open().ensure(environmentSpecOf({ listFiles: () => [], readFile: () => undefined }, []));

export const pythonRecipe: StepOptions['recipe'] = { runtime: 'python' };

/** A loader of CSV with both arguments, and functions of split. */
export const steps = {
  'steps/ingest.py': `import pandas as pd


def load(path, file_format):
    """Reads a file."""
    print(f"reading {file_format}")
    return pd.read_csv(path).assign(source=str(path).rsplit("/", 1)[-1])


def load_one(path):
    return pd.read_csv(path)


def nothing(path, file_format):
    return None


def broken(path, file_format):
    frame = pd.read_csv(path)
    return frame["no such column"]
`,
  'steps/split.py': `from pandas import Series


def keep_even(dataset):
    return dataset["id"] % 2 == 0


def by_id(dataset):
    return dataset["id"].map(lambda id: ("TRAINING", "VALIDATION", "TEST")[id % 3])
`,
};

/** `id,y` for the numbers from `from` on. */
export const csv = (count: number, from = 0): string =>
  `id,y\n${Array.from({ length: count }, (_, index) => `${from + index},${(from + index) / 4}`).join('\n')}\n`;
