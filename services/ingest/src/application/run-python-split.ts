import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type StepContext, type StepResult, withCard } from '@millrace/service-kit';
import {
  type Comparison,
  compareRelations,
  type DuckDb,
  openDuckDb,
  type Relation,
  viewPandasParquet,
} from '@millrace/tabular';
import { openLaterWorkshop, type PythonWorkshop } from '../adapters/python-workshop.ts';
import { splitCard } from '../card/split-card.ts';
import { type SplitName, splitNames } from '../domain/split-assignment.ts';
import { LeakCheck, type PythonSplitConfig, parsePythonSplitConfig } from '../domain/split-config.ts';
import { type ClassCounts, checkClasses, judgeLeaks } from '../domain/split-rules.ts';
import { countLeaks } from './inspect-splits.ts';
import { phase } from './phase.ts';
import { requireRecipe } from './recipe-context.ts';
import { fetchDataset, type SplitFiles, splitOutputs, splitPhases } from './split-files.ts';
import type { StepDependencies } from './step-dependencies.ts';

interface SplitJobOutput {
  readonly rows: Readonly<Record<SplitName, number>>;
  /** Rows without target. */
  readonly dropped: number;
  /** Rows that the project's own function took out. */
  readonly filtered: number;
  /** For classification. */
  readonly classes?: ClassCounts;
  readonly warnings: readonly string[];
}

/** Divides the rows as released versions of MLflow did, or as the project's own functions say. */
export const splitWithPython = async (
  dependencies: StepDependencies,
  context: StepContext,
  directory: string,
): Promise<StepResult> => {
  const config = parsePythonSplitConfig(context.command.config ?? {});
  const recipe = requireRecipe(context.command);
  const dataset = await phase(context, splitPhases.fetch, () =>
    fetchDataset(dependencies, context, directory),
  );
  const workshop = await phase(context, splitPhases.environment, () =>
    openLaterWorkshop(dependencies.python, dependencies.blobs, context, directory),
  );
  const files = splitFiles(directory);
  await mkdir(join(directory, 'splits'));
  const split = await phase(context, splitPhases.divide, () => divide(workshop, config, dataset, directory));
  const classWarnings = split.classes === undefined ? [] : checkClasses(recipe.targetColumn, split.classes);
  const leaks =
    config.leak_check === LeakCheck.off
      ? undefined
      : await phase(context, splitPhases.check, () => leaksBetween(dependencies, context, files, directory));
  const leakWarnings = leaks === undefined ? [] : judgeLeaks(leaks, config.leak_check);
  const outputs = await phase(context, splitPhases.store, () =>
    splitOutputs(dependencies, files, split.rows),
  );
  const method = config.using === 'custom' ? `${config.split_method} of steps/split.py` : 'hash of the row';
  const result = {
    outputs,
    summary: {
      trainRows: split.rows.train,
      validationRows: split.rows.validation,
      testRows: split.rows.test,
      droppedRows: split.dropped,
      filteredRows: split.filtered,
      method,
      ...(split.classes === undefined ? {} : { classes: split.classes }),
      ...(leaks === undefined ? {} : { leaks }),
    },
    warnings: [
      ...(split.dropped === 0
        ? []
        : [`${split.dropped} rows without a value of "${recipe.targetColumn}" were dropped`]),
      ...split.warnings,
      ...classWarnings,
      ...leakWarnings,
    ],
  };
  return withCard(context, dependencies.blobs, result, async (made) =>
    splitCard(
      context.command,
      {
        rows: split.rows,
        dropped: split.dropped,
        filtered: split.filtered,
        method,
        ...(split.classes === undefined ? {} : { classes: split.classes }),
        ...(leaks === undefined ? {} : { leaks }),
        ...(context.command.config?.skip_data_profiling === true
          ? {}
          : { comparison: await compareSplits(dependencies, context, files, directory) }),
      },
      made,
    ),
  );
};

const splitFiles = (directory: string): SplitFiles => ({
  train: join(directory, 'splits', 'train.parquet'),
  validation: join(directory, 'splits', 'validation.parquet'),
  test: join(directory, 'splits', 'test.parquet'),
});

const divide = (
  workshop: PythonWorkshop,
  config: PythonSplitConfig,
  dataset: string,
  directory: string,
): Promise<SplitJobOutput> =>
  workshop.run<SplitJobOutput>(
    'split',
    {
      dataset,
      using: config.using,
      split_ratios: config.split_ratios,
      split_method: config.split_method ?? null,
      post_split_method: config.post_split_method ?? null,
      post_split_filter_method: config.post_split_filter_method ?? null,
      output_dir: join(directory, 'splits'),
    },
    { from: 0.3, to: 0.5, activity: 'dividing the rows' },
  );

/** Does something with the splits in an engine, where each is a view of its name. */
const withSplits = async <T>(
  { memoryLimit }: StepDependencies,
  { signal }: StepContext,
  files: SplitFiles,
  directory: string,
  work: (duck: DuckDb, columns: Relation['columns']) => Promise<T>,
): Promise<T> => {
  await using duck = await openDuckDb({ tempDir: directory, memoryLimit, signal });
  const columns = [];
  for (const name of splitNames) columns.push((await viewPandasParquet(duck, files[name], name)).columns);
  // Awaited here: the session ends with this block.
  return await work(duck, columns[0] ?? []);
};

const leaksBetween = (
  dependencies: StepDependencies,
  context: StepContext,
  files: SplitFiles,
  directory: string,
) => withSplits(dependencies, context, files, directory, (duck, columns) => countLeaks(duck, columns, {}));

const compareSplits = (
  dependencies: StepDependencies,
  context: StepContext,
  files: SplitFiles,
  directory: string,
): Promise<Comparison> =>
  withSplits(dependencies, context, files, directory, (duck, columns) =>
    compareRelations(
      duck,
      splitNames.map((name) => ({ name, source: name })),
      columns,
    ),
  );
