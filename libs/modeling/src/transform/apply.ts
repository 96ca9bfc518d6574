import type { Column, Table } from '@millrace/tabular';
import { type Cell, columnOf } from '../table-access.ts';
import type { DatePart } from './spec.ts';
import type { DateStep, KeepStep, NumericStep, OneHotStep, TransformState, TransformStep } from './state.ts';

type NumberColumn = Extract<Column, { type: 'number' | 'integer' | 'timestamp' }>;

/** Adds what becomes of a column. */
type PreparedStep = (column: Column, output: Column[]) => void;

/**
 * A fitted transform as a function of tables, the same in training and in serving; what does not depend on the rows is
 * worked out once. Columns that the transform does not read are ignored. The function throws `Invalid` naming a column
 * that is missing.
 */
export const prepareTransform = (state: TransformState): ((table: Table) => Table) => {
  const steps = state.steps.map((step) => ({
    column: step.column,
    path: `features.${step.column}`,
    apply: prepareStep(step),
  }));
  return (table) => {
    const columns: Column[] = [];
    for (const { column, path, apply } of steps) apply(columnOf(table, column, path), columns);
    return { rowCount: table.rowCount, columns };
  };
};

/** Applies a fitted transform to one table; see `prepareTransform`. */
export const applyTransform = (state: TransformState, table: Table): Table => prepareTransform(state)(table);

const prepareStep = (step: TransformStep): PreparedStep => {
  switch (step.kind) {
    case 'numeric':
      return prepareNumeric(step);
    case 'one_hot':
      return prepareOneHot(step);
    case 'date':
      return prepareDate(step);
    case 'keep':
      return (column, output) => output.push(applyKeep(step, column));
  }
};

const cells = (column: Column): readonly Cell[] => column.values;

const numberColumn = (name: string, values: (number | null)[]): NumberColumn => ({
  name,
  type: 'number',
  values,
});

const prepareNumeric = ({ column: name, fill, center, scale, indicator }: NumericStep): PreparedStep => {
  const missingName = `${name}__missing`;
  const scaled = (value: Cell): number | null => {
    const number = value === null ? fill : Number(value);
    return number === null ? null : (number - center) / scale;
  };
  return (column, output) => {
    output.push(numberColumn(name, cells(column).map(scaled)));
    if (!indicator) return;
    const missing = cells(column).map((value) => (value === null ? 1 : 0));
    output.push(numberColumn(missingName, missing));
  };
};

const prepareOneHot = ({ column: name, fill, categories, rare }: OneHotStep): PreparedStep => {
  const positions = new Map(categories.map((category, position) => [category, position]));
  // Two underscores, so that a category that is really called "other" keeps its own column.
  const otherNames = rare.length === 0 ? [] : [`${name}__other`];
  const names = [...categories.map((category) => `${name}=${category}`), ...otherNames];
  for (const category of rare) positions.set(category, categories.length);
  return (column, output) => {
    const first = output.length;
    const zeros = () => new Array<number>(column.values.length).fill(0);
    for (const each of names) output.push(numberColumn(each, zeros()));
    cells(column).forEach((value, row) => {
      const text = value === null ? fill : String(value);
      const position = text === null ? undefined : positions.get(text);
      if (position !== undefined) (output[first + position]?.values as number[])[row] = 1;
    });
  };
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

/** Adds a part of the dates: one column, or two where it comes round again. */
type PreparedPart = (dates: readonly Date[], output: Column[]) => void;

const preparePart = (name: string, part: DatePart, cyclical: boolean): PreparedPart => {
  const valuesOf = (dates: readonly Date[]) => dates.map((date) => partOf(date, part));
  const cycle = cycles[part];
  if (!cyclical || cycle === undefined) {
    return (dates, output) => output.push(numberColumn(name, valuesOf(dates)));
  }
  const [first, length] = cycle;
  const [sinName, cosName] = [`${name}_sin`, `${name}_cos`];
  return (dates, output) => {
    const angles = valuesOf(dates).map((value) => (2 * Math.PI * (value - first)) / length);
    output.push(numberColumn(sinName, angles.map(Math.sin)), numberColumn(cosName, angles.map(Math.cos)));
  };
};

const prepareDate = ({ column: name, parts, cyclical, fill }: DateStep): PreparedStep => {
  const prepared = parts.map((part) => preparePart(`${name}__${part}`, part, cyclical));
  return (column, output) => {
    const dates = cells(column).map((value) => new Date(typeof value === 'number' ? value : fill));
    for (const apply of prepared) apply(dates, output);
  };
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
