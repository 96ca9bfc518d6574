import { InvalidArgumentError } from 'commander';

/** Parsers for options: commander names the option and ends with the exit code of wrong input. */

/** `0`, `1`, `2` … */
export const wholeNumber = (text: string): number => {
  if (!/^\d{1,15}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
};

/** `0.5`, `3` … */
export const positiveNumber = (text: string): number => {
  if (!/^\d{1,15}(\.\d+)?$/.test(text)) throw new InvalidArgumentError('It must be a number, 0 or more.');
  return Number(text);
};

/** `10,50` */
export const wholeNumbers = (text: string): number[] =>
  text.split(',').map((part) => wholeNumber(part.trim()));

/** A time, as ISO 8601. */
export const instant = (text: string): string => {
  const time = new Date(text);
  if (Number.isNaN(time.getTime()))
    throw new InvalidArgumentError('It must be a time such as 2026-03-01T12:00Z.');
  return time.toISOString();
};
