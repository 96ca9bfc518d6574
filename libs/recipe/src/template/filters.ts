import nunjucksFilters from 'nunjucks/src/filters.js';
import { isList, isMapping, isTrue, type TemplateValue, Undefined } from './values.ts';

export type TemplateFilter = (value: TemplateValue, args: readonly TemplateValue[]) => TemplateValue;

/** Most positional arguments that a filter may get; fewer than nunjucks takes where the rest reaches into objects. */
const fromNunjucks: Readonly<Record<string, number>> = {
  abs: 0,
  capitalize: 0,
  first: 0,
  float: 1,
  int: 2,
  join: 1,
  last: 0,
  length: 0,
  lower: 0,
  reverse: 0,
  round: 2,
  sum: 0,
  title: 0,
  trim: 0,
  upper: 0,
  urlencode: 0,
};

const takesText = new Set(['capitalize', 'lower', 'title', 'trim', 'upper']);
const takesList = new Set(['first', 'join', 'last', 'reverse', 'sum']);

const viaNunjucks =
  (name: string, maxArgs: number): TemplateFilter =>
  (value, args) => {
    if (takesText.has(name) && typeof value !== 'string') throw new TypeError(`${name} needs text`);
    if (takesList.has(name) && !isList(value) && typeof value !== 'string') {
      throw new TypeError(`${name} needs a list`);
    }
    if (args.length > maxArgs) throw new TypeError(`${name} takes at most ${maxArgs} argument(s)`);
    if (args.some((arg) => typeof arg === 'object' && arg !== null)) {
      throw new TypeError(`${name} takes plain arguments`);
    }
    if (name === 'join') refuseLong(listOf(value).length * (String(args[0] ?? '').length + 1));
    const filter = nunjucksFilters[name];
    if (filter === undefined) throw new TypeError(`nunjucks has no filter ${name}`);
    const result = filter(value, ...args);
    return result === undefined ? new Undefined(`${name} of an empty list`) : (result as TemplateValue);
  };

const byText = (left: TemplateValue, right: TemplateValue): number => {
  if (typeof left === 'number' && typeof right === 'number') return left - right;
  const [a, b] = [String(left).toLowerCase(), String(right).toLowerCase()];
  if (a === b) return 0;
  return a < b ? -1 : 1;
};

const maxLength = 1_000_000;

const refuseLong = (length: number): void => {
  if (length > maxLength) throw new TypeError(`the text would be longer than ${maxLength}`);
};

const listOf = (value: TemplateValue): readonly TemplateValue[] => {
  if (isList(value)) return value;
  if (isMapping(value)) return Object.keys(value);
  if (typeof value === 'string') return [...value];
  throw new TypeError('needs a list');
};

const own: Readonly<Record<string, TemplateFilter>> = {
  default: (value, [fallback = '', alsoFalse = false]) =>
    value instanceof Undefined || (isTrue(alsoFalse) && !isTrue(value)) ? fallback : value,
  dictsort: (value) => {
    if (!isMapping(value)) throw new TypeError('dictsort needs a mapping');
    return Object.entries(value).sort(([left], [right]) => byText(left, right));
  },
  list: listOf,
  replace: (value, [search = '', replacement = '']) => {
    if (typeof value !== 'string') throw new TypeError('replace needs text');
    refuseLong((value.split(String(search)).length + 1) * String(replacement).length);
    return value.replaceAll(String(search), () => String(replacement));
  },
  sort: (value, [descending = false]) => {
    const sorted = [...listOf(value)].sort(byText);
    return isTrue(descending) ? sorted.reverse() : sorted;
  },
  string: (value) => (typeof value === 'string' ? value : JSON.stringify(value)),
  tojson: (value) => JSON.stringify(value),
  unique: (value) => [...new Set(listOf(value))],
};

/** The filters of the template language, by name; `from_json` is added by the renderer. */
export const standardFilters: Readonly<Record<string, TemplateFilter>> = Object.freeze({
  ...Object.fromEntries(
    Object.entries(fromNunjucks).map(([name, maxArgs]) => [name, viaNunjucks(name, maxArgs)]),
  ),
  ...own,
  count: viaNunjucks('length', 0),
  d: own.default as TemplateFilter,
});
