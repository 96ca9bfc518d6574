import { storageType } from './column-types.ts';
import { ColumnType } from './table.ts';
import { textForms } from './text-forms.ts';

const { boolean, integer, number, string, timestamp } = ColumnType;

/**
 * SQL of a column's value as another type, missing where the value cannot be that without loss: `2.5` is no integer,
 * `x` no number, 2 no boolean. Numbers and booleans become text as they print.
 */
export const convertedSql = (column: string, from: ColumnType, to: ColumnType): string => {
  if (from === to) return column;
  if (to === string) return `${column}::VARCHAR`;
  if (from === string) return fromText(column, to);
  if (from === integer && to === number) return `${column}::DOUBLE`;
  if (from === number && to === integer) {
    return `CASE WHEN ${column} = trunc(${column}) AND abs(${column}) <= 9007199254740992 THEN ${column}::BIGINT END`;
  }
  if (from === boolean && to !== timestamp) return `${column}::${storageType[to]}`;
  if (to === boolean && from !== timestamp) return `CASE WHEN ${column} IN (0, 1) THEN ${column} = 1 END`;
  return `NULL::${storageType[to]}`;
};

const fromText = (column: string, to: ColumnType): string => {
  // Every integer is a number, and a form fits only what no narrower one does.
  const forms = textForms.filter(({ type }) => type === to || (to === number && type === integer));
  const cases = forms.map(({ fits, cast }) => `WHEN ${fits(column)} THEN ${cast(column)}`);
  return `(CASE ${cases.join(' ')} END)::${storageType[to]}`;
};
