import type { Column, Table } from '@millrace/tabular';
import { type Cell, columnOf } from '../table-access.ts';
import type { DatePart } from './spec.ts';
import type { DateStep, KeepStep, NumericStep, OneHotStep, TransformState, TransformStep } from './state.ts';

type NumberColumn = Extract<Column, { type: 'number' | 'integer' | 'timestamp' }>;

/**
 * Applies a fitted transform: the same function in training and in serving. Columns that the transform does
 * not read are ignored. Throws `Invalid` naming a column that is missing.
 */
export const applyTransform = (state: TransformState, table: Table): Table => ({
  rowCount: table.rowCount,
  columns: state.steps.flatMap((step) =>
    applyStep(step, columnOf(table, step.column, `features.${step.column}`)),
  ),
});

const applyStep = (step: TransformStep, column: Column): Column[] => {
  switch (step.kind) {
    case 'numeric':
      return applyNumeric(step, column);
    case 'one_hot':
      return applyOneHot(step, column);
    case 'date':
      return applyDate(step, column);
    case 'keep':
      return [applyKeep(step, column)];
  }
};

const cells = (column: Column): readonly Cell[] => column.values;

const numberColumn = (name: string, values: (number | null)[]): NumberColumn => ({
  name,
  type: 'number',
  values,
});

const applyNumeric = (step: NumericStep, column: Column): Column[] => {
  const scaled = cells(column).map((value) => {
    const number = value === null ? step.fill : Number(value);
    return number === null ? null : (number - step.center) / step.scale;
  });
  const values = numberColumn(step.column, scaled);
  if (!step.indicator) return [values];
  return [
    values,
    numberColumn(
      `${step.column}__missing`,
      cells(column).map((value) => (value === null ? 1 : 0)),
    ),
  ];
};

const applyOneHot = (step: OneHotStep, column: Column): Column[] => {
  const text = cells(column).map((value) => (value === null ? step.fill : String(value)));
  const columns = step.categories.map((category) =>
    numberColumn(
      `${step.column}=${category}`,
      text.map((value) => (value === category ? 1 : 0)),
    ),
  );
  if (step.rare.length === 0) return columns;
  const rare = new Set(step.rare);
  const other = text.map((value) => (value !== null && rare.has(value) ? 1 : 0));
  // Two underscores, so that a category that is really called "other" keeps its own column.
  return [...columns, numberColumn(`${step.column}__other`, other)];
};

const applyKeep = (step: KeepStep, column: Column): Column => {
  if (step.fill === null) return column;
  return { ...column, values: cells(column).map((value) => value ?? step.fill) } as Column;
};

/** Length of a part's cycle and its first value; `year` has none. */
const cycles: Partial<Record<DatePart, readonly [first: number, length: number]>> = {
  month: [1, 12],
  day: [1, 31],
  weekday: [0, 7],
  hour: [0, 24],
  minute: [0, 60],
  day_of_year: [1, 366],
};

const applyDate = (step: DateStep, column: Column): Column[] => {
  const dates = cells(column).map((value) => new Date(typeof value === 'number' ? value : step.fill));
  return step.parts.flatMap((part) => {
    const values = dates.map((date) => partOf(date, part));
    const cycle = cycles[part];
    const name = `${step.column}__${part}`;
    if (!step.cyclical || cycle === undefined) return [numberColumn(name, values)];
    const angles = values.map((value) => (2 * Math.PI * (value - cycle[0])) / cycle[1]);
    return [
      numberColumn(`${name}_sin`, angles.map(Math.sin)),
      numberColumn(`${name}_cos`, angles.map(Math.cos)),
    ];
  });
};

const dayMilliseconds = 86_400_000;

const partOf = (date: Date, part: DatePart): number => {
  switch (part) {
    case 'year':
      return date.getUTCFullYear();
    case 'month':
      return date.getUTCMonth() + 1;
    case 'day':
      return date.getUTCDate();
    case 'weekday':
      return (date.getUTCDay() + 6) % 7;
    case 'hour':
      return date.getUTCHours();
    case 'minute':
      return date.getUTCMinutes();
    case 'day_of_year':
      return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / dayMilliseconds) + 1;
  }
};
