import { ColumnType, convertedSql, type DuckDb, quoteIdentifier, type Relation } from '@millrace/tabular';
import {
  requireSuitableTarget,
  requireTarget,
  shownClasses,
  type TargetRequirement,
} from '../domain/target.ts';

/** Throws `Invalid` when the target column is absent or does not suit the task. */
export const inspectTarget = async (
  duck: DuckDb,
  relation: Relation,
  requirement: TargetRequirement,
): Promise<void> => {
  const column = requireTarget(relation.columns, requirement);
  const name = quoteIdentifier(column.name);
  const from = `FROM ${relation.source} WHERE ${name} IS NOT NULL`;
  const { classes } = await duck.row(`SELECT count(DISTINCT ${name}) AS classes ${from}`);
  const shown = await duck.rows(`SELECT DISTINCT ${name} AS value ${from} ORDER BY 1 LIMIT ${shownClasses}`);
  const notNumber =
    column.type === ColumnType.string ? await firstNotNumber(duck, relation, name) : undefined;
  requireSuitableTarget(column, requirement, {
    classCount: Number(classes),
    classes: shown.map(({ value }) => String(value)),
    ...(notNumber === undefined ? {} : { notNumber }),
  });
};

const firstNotNumber = async (
  duck: DuckDb,
  relation: Relation,
  name: string,
): Promise<string | undefined> => {
  const number = convertedSql(name, ColumnType.string, ColumnType.number);
  const [row] = await duck.rows(
    `SELECT ${name} AS value FROM ${relation.source} WHERE ${name} IS NOT NULL AND (${number}) IS NULL LIMIT 1`,
  );
  return row === undefined ? undefined : String(row.value);
};
