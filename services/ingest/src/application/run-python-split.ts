import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { StepContext, StepResult } from '@millrace/service-kit';
import { openDuckDb, viewPandasParquet } from '@millrace/tabular';
import { openLaterWorkshop, type PythonWorkshop } from '../adapters/python-workshop.ts';
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
  return {
    outputs,
    summary: {
      trainRows: split.rows.train,
      validationRows: split.rows.validation,
      testRows: split.rows.test,
      droppedRows: split.dropped,
      filteredRows: split.filtered,
      method: config.using === 'custom' ? `${config.split_method} of steps/split.py` : 'hash of the row',
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

const leaksBetween = async (
  { memoryLimit }: StepDependencies,
  { signal }: StepContext,
  files: SplitFiles,
  directory: string,
) => {
  await using duck = await openDuckDb({ tempDir: directory, memoryLimit, signal });
  const columns = [];
  for (const name of splitNames) columns.push((await viewPandasParquet(duck, files[name], name)).columns);
  // Awaited here: the session ends with this block.
  return await countLeaks(duck, columns[0] ?? [], {});
};
