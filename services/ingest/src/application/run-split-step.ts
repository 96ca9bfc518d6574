import { join } from 'node:path';
import { Invalid } from '@millrace/errors';
import {
  isPythonRecipe,
  makeWorkDirectory,
  type StepContext,
  type StepHandler,
  withCard,
} from '@millrace/service-kit';
import {
  type Comparison,
  compareRelations,
  type DuckDb,
  describeRelation,
  openDuckDb,
  parquetSource,
  quoteIdentifier,
  type Relation,
  relationOf,
  writeParquet,
} from '@millrace/tabular';
import { splitCard } from '../card/split-card.ts';
import {
  assignByHash,
  assignByTime,
  cumulativeShares,
  requireSplitColumns,
  type SplitName,
  splitNames,
} from '../domain/split-assignment.ts';
import { LeakCheck, parseSplitConfig, type SplitConfig, splitPath } from '../domain/split-config.ts';
import { checkClasses, judgeLeaks, requireRows } from '../domain/split-rules.ts';
import { requireTarget } from '../domain/target.ts';
import { countClasses, countLeaks } from './inspect-splits.ts';
import { phase } from './phase.ts';
import { requireRecipe, targetRequirement } from './recipe-context.ts';
import { splitWithPython } from './run-python-split.ts';
import { fetchDataset, splitOutputs, splitPhases } from './split-files.ts';
import type { StepDependencies } from './step-dependencies.ts';

/** Divides a dataset version into training, validation and test rows. The same rows are always divided the same way. */
export const splitStep =
  (dependencies: StepDependencies): StepHandler =>
  async (context) => {
    const { command, signal } = context;
    await using directory = await makeWorkDirectory(dependencies.tempDir);
    // Awaited here: the directory goes with this block.
    if (isPythonRecipe(command)) return await splitWithPython(dependencies, context, directory.path);
    const config = parseSplitConfig(command.config ?? {});
    const recipe = requireRecipe(command);
    const dataset = await phase(context, splitPhases.fetch, () =>
      fetchDataset(dependencies, context, directory.path),
    );
    await using duck = await openDuckDb({
      tempDir: directory.path,
      memoryLimit: dependencies.memoryLimit,
      signal,
    });
    const { labelled, dropped } = await dropUnlabelled(duck, dataset, context);
    requireSplitColumns(labelled.columns, config);

    const splits = await phase(context, splitPhases.divide, () =>
      divide(duck, labelled, config, recipe.seed),
    );
    requireRows(splits.rows);
    const classes = recipe.task === 'regression' ? undefined : await countClasses(duck, recipe.targetColumn);
    const classWarnings = classes === undefined ? [] : checkClasses(recipe.targetColumn, classes);
    const leaks =
      config.leak_check === LeakCheck.off
        ? undefined
        : await phase(context, splitPhases.check, () => countLeaks(duck, labelled.columns, config));
    const leakWarnings = leaks === undefined ? [] : judgeLeaks(leaks, config.leak_check);
    const outputs = await phase(context, splitPhases.store, () =>
      store(dependencies, duck, labelled, splits.rows, directory.path),
    );
    const result = {
      outputs,
      summary: {
        trainRows: splits.rows.train,
        validationRows: splits.rows.validation,
        testRows: splits.rows.test,
        droppedRows: dropped,
        method: methodOf(config),
        ...(classes === undefined ? {} : { classes }),
        ...(leaks === undefined ? {} : { leaks }),
      },
      warnings: [
        ...(dropped === 0
          ? []
          : [`${dropped} rows without a value of "${recipe.targetColumn}" were dropped`]),
        ...classWarnings,
        ...leakWarnings,
      ],
    };
    // Awaited here: the session ends with this block.
    return await withCard(context, dependencies.blobs, result, async (made) =>
      splitCard(
        command,
        {
          rows: splits.rows,
          dropped,
          method: methodOf(config),
          ...(classes === undefined ? {} : { classes }),
          ...(leaks === undefined ? {} : { leaks }),
          ...(command.config?.skip_data_profiling === true
            ? {}
            : { comparison: await compareSplits(duck, labelled) }),
        },
        made,
      ),
    );
  };

const compareSplits = (duck: DuckDb, { columns }: Relation): Promise<Comparison> =>
  compareRelations(
    duck,
    splitNames.map((name) => ({ name, source: name })),
    columns,
  );

const methodOf = (config: SplitConfig): string => {
  if (config.time_column !== undefined) return `time of "${config.time_column}"`;
  return config.key_columns === undefined ? 'hash of the row' : `hash of ${config.key_columns.join(', ')}`;
};

/** A row without label can neither teach nor test. */
const dropUnlabelled = async (
  duck: DuckDb,
  path: string,
  { command }: StepContext,
): Promise<{ labelled: Relation; dropped: number }> => {
  const dataset = await describeRelation(duck, parquetSource(path));
  const target = requireTarget(dataset.columns, targetRequirement(command));
  await duck.run(
    `CREATE TEMP TABLE labelled AS SELECT * FROM ${dataset.source} WHERE ${quoteIdentifier(target.name)} IS NOT NULL`,
  );
  const labelled = await relationOf(duck, 'labelled', dataset.columns);
  return { labelled, dropped: dataset.rowCount - labelled.rowCount };
};

/** Makes a table per split, each in the order of the dataset. */
const divide = async (
  duck: DuckDb,
  labelled: Relation,
  config: SplitConfig,
  seed: number,
): Promise<{ rows: Record<SplitName, number> }> => {
  const names = labelled.columns.map(({ name }) => name);
  const assignment =
    config.time_column === undefined
      ? assignByHash(config.key_columns ?? names, config.split_ratios, seed)
      : assignByTime(config.time_column, await timeCuts(duck, labelled, config.time_column, config));
  await duck.run(`CREATE TEMP TABLE assignment AS SELECT ${assignment} AS split FROM labelled`);
  const rows = { train: 0, validation: 0, test: 0 };
  for (const name of splitNames) {
    // Both tables have their rows in one order.
    await duck.run(
      `CREATE TEMP TABLE ${name} AS SELECT labelled.* FROM labelled POSITIONAL JOIN assignment WHERE assignment.split = '${name}'`,
    );
    rows[name] = Number((await duck.row(`SELECT count(*) AS n FROM ${name}`)).n);
  }
  return { rows };
};

/** Times from which validation and test begin; rows of one time stay together, so that the splits do not overlap. */
const timeCuts = async (
  duck: DuckDb,
  labelled: Relation,
  column: string,
  config: SplitConfig,
): Promise<[string, string]> => {
  const time = quoteIdentifier(column);
  const { missing } = await duck.row(`SELECT count(*) - count(${time}) AS missing FROM labelled`);
  if (Number(missing) > 0) {
    throw Invalid.field(`${splitPath}.time_column`, `${missing} rows have no "${column}"`, {
      hint: 'Set such rows aside with a data contract: `nullable: { value: false, on_violation: quarantine }`.',
    });
  }
  const cut = (share: number) =>
    `(SELECT ${time} FROM labelled ORDER BY ${time} LIMIT 1 OFFSET ${Math.min(
      Math.floor(labelled.rowCount * share),
      Math.max(labelled.rowCount - 1, 0),
    )})`;
  const [train, validation] = cumulativeShares(config.split_ratios);
  return [cut(train), cut(validation)];
};

const store = async (
  dependencies: StepDependencies,
  duck: DuckDb,
  labelled: Relation,
  rows: Readonly<Record<SplitName, number>>,
  directory: string,
) => {
  const columns = labelled.columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  const files = {
    train: join(directory, 'train.parquet'),
    validation: join(directory, 'validation.parquet'),
    test: join(directory, 'test.parquet'),
  };
  for (const name of splitNames) await writeParquet(duck, `SELECT ${columns} FROM ${name}`, files[name]);
  return splitOutputs(dependencies, files, rows);
};
