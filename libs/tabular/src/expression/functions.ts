import type { Value, ValueType } from './term.ts';
import { mapCase } from './text.ts';

/** A function of the language; missing in, missing out. */
export interface ExpressionFunction {
  readonly parameters: readonly ValueType[];
  readonly result: ValueType;
  readonly sql: (...parameters: string[]) => string;
  readonly apply: (...parameters: never[]) => Value;
}

const numeric = (sql: (x: string) => string, apply: (x: number) => number | null): ExpressionFunction => ({
  parameters: ['number'],
  result: 'number',
  sql,
  apply,
});

const textual = (sql: (x: string) => string, apply: (x: string) => string): ExpressionFunction => ({
  parameters: ['string'],
  result: 'string',
  sql,
  apply,
});

const textTest = (name: string, apply: (text: string, part: string) => boolean): ExpressionFunction => ({
  parameters: ['string', 'string'],
  result: 'boolean',
  sql: (text, part) => `${name}(${text}, ${part})`,
  apply,
});

const datePart = (sql: (at: string) => string, apply: (at: Date) => number): ExpressionFunction => ({
  parameters: ['timestamp'],
  result: 'number',
  sql: (at) => `${sql(at)}::DOUBLE`,
  apply: (at: number) => apply(new Date(at)),
});

/** Half away from zero, as SQL rounds. */
const roundHalfAway = (x: number): number => Math.sign(x) * Math.round(Math.abs(x));

export const functions: Readonly<Record<string, ExpressionFunction>> = {
  abs: numeric((x) => `abs(${x})`, Math.abs),
  floor: numeric((x) => `floor(${x})`, Math.floor),
  ceil: numeric((x) => `ceil(${x})`, Math.ceil),
  round: numeric((x) => `round(${x})`, roundHalfAway),
  // Outside their domain SQL would fail the whole query; here the value is missing.
  sqrt: numeric(
    (x) => `sqrt(CASE WHEN ${x} >= 0 THEN ${x} END)`,
    (x) => (x >= 0 ? Math.sqrt(x) : null),
  ),
  ln: numeric(
    (x) => `ln(CASE WHEN ${x} > 0 THEN ${x} END)`,
    (x) => (x > 0 ? Math.log(x) : null),
  ),
  lower: textual(
    (x) => `lower(${x})`,
    (x) => mapCase(x, (character) => character.toLowerCase()),
  ),
  upper: textual(
    (x) => `upper(${x})`,
    (x) => mapCase(x, (character) => (character === 'ß' ? 'ẞ' : character.toUpperCase())),
  ),
  /** Spaces only. */
  trim: textual(
    (x) => `trim(${x})`,
    (x) => x.replace(/^ +/, '').replace(/ +$/, ''),
  ),
  /** In code points. */
  length: {
    parameters: ['string'],
    result: 'number',
    sql: (x) => `length(${x})::DOUBLE`,
    apply: (x: string) => [...x].length,
  },
  contains: textTest('contains', (text, part) => text.includes(part)),
  starts_with: textTest('starts_with', (text, part) => text.startsWith(part)),
  ends_with: textTest('ends_with', (text, part) => text.endsWith(part)),
  year: datePart(
    (at) => `year(${at})`,
    (at) => at.getUTCFullYear(),
  ),
  /** 1 to 12. */
  month: datePart(
    (at) => `month(${at})`,
    (at) => at.getUTCMonth() + 1,
  ),
  day: datePart(
    (at) => `day(${at})`,
    (at) => at.getUTCDate(),
  ),
  hour: datePart(
    (at) => `hour(${at})`,
    (at) => at.getUTCHours(),
  ),
  /** Monday is 0. */
  weekday: datePart(
    (at) => `(isodow(${at}) - 1)`,
    (at) => (at.getUTCDay() + 6) % 7,
  ),
};
