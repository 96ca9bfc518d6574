import { Invalid } from '@millrace/errors';

// Every name or value that comes from outside enters SQL through this file.

const withoutNul = (text: string): string => {
  if (text.includes('\0')) throw new Invalid('text holds a NUL character');
  return text;
};

/** A column or table name as a quoted SQL identifier. */
export const quoteIdentifier = (name: string): string => `"${withoutNul(name).replaceAll('"', '""')}"`;

/** A text value as an SQL literal. DuckDB knows no backslash escapes in plain literals. */
export const quoteText = (text: string): string => `'${withoutNul(text).replaceAll("'", "''")}'`;

/** A finite number as a 64-bit float literal that reads back to the same number. */
export const quoteNumber = (value: number): string => {
  if (!Number.isFinite(value)) throw new Invalid(`${value} is not a finite number`);
  // A literal without exponent would be a decimal, which knows no negative zero.
  return `(${Object.is(value, -0) ? '-' : ''}${value.toExponential()})::DOUBLE`;
};

/** Text values as an SQL list literal. */
export const quoteTextList = (texts: readonly string[]): string => `[${texts.map(quoteText).join(', ')}]`;
