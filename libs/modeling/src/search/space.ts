import { Invalid } from '@millrace/errors';
import type { Random } from '@millrace/random';

/**
 * One searched parameter. Continuous ones are described on the scale that they are drawn on: the value is
 * `exp` of the draw where `log`, then rounded to a multiple of `q` where there is one.
 */
export type Dimension =
  | { readonly kind: 'choice'; readonly values: readonly unknown[] }
  | {
      readonly kind: 'uniform';
      readonly low: number;
      readonly high: number;
      readonly log: boolean;
      readonly q?: number;
    }
  | {
      readonly kind: 'normal';
      readonly mu: number;
      readonly sigma: number;
      readonly log: boolean;
      readonly q?: number;
    };

export type SearchSpace = Readonly<Record<string, Dimension>>;

type Section = Readonly<Record<string, unknown>>;

/**
 * Reads `tuning.parameters` of a recipe: `{values: […]}`, or hyperopt's distributions by name with hyperopt's
 * arguments (https://hyperopt.github.io/hyperopt/getting-started/search_spaces/). As there, the bounds of a
 * `log…` distribution are those of the logarithm. Throws `Invalid` naming the key.
 */
export const parseSearchSpace = (parameters: Section, path: string): SearchSpace => {
  const entries = Object.entries(parameters);
  if (entries.length === 0) throw Invalid.field(path, 'names no parameter to search');
  return Object.fromEntries(entries.map(([name, value]) => [name, dimension(value, `${path}.${name}`)]));
};

const dimension = (value: unknown, path: string): Dimension => {
  if (typeof value !== 'object' || value === null)
    throw Invalid.field(path, 'needs either values or a distribution');
  const section = value as Section;
  if (section.values !== undefined) return choice(section.values, `${path}.values`);
  const number = (key: string) => numberOf(section[key], `${path}.${key}`);
  const distribution = String(section.distribution);
  switch (distribution) {
    case 'choice':
      return choice(section.options, `${path}.options`);
    case 'uniform':
    case 'loguniform':
      return between(number('low'), number('high'), distribution === 'loguniform', undefined, path);
    case 'quniform':
    case 'qloguniform':
      return between(
        number('low'),
        number('high'),
        distribution === 'qloguniform',
        positive(number('q'), path),
        path,
      );
    case 'uniformint':
      return between(number('low'), number('high'), false, 1, path);
    case 'randint':
      return randint(section, path);
    case 'normal':
    case 'lognormal':
      return around(
        number('mu'),
        positive(number('sigma'), path),
        distribution === 'lognormal',
        undefined,
        path,
      );
    case 'qnormal':
    case 'qlognormal':
      return around(
        number('mu'),
        positive(number('sigma'), path),
        distribution === 'qlognormal',
        positive(number('q'), path),
        path,
      );
    default:
      throw Invalid.field(`${path}.distribution`, `"${distribution}" is not a distribution`);
  }
};

const choice = (values: unknown, path: string): Dimension => {
  if (!Array.isArray(values) || values.length === 0) throw Invalid.field(path, 'must be a list of values');
  return { kind: 'choice', values };
};

const between = (low: number, high: number, log: boolean, q: number | undefined, path: string): Dimension => {
  if (low >= high) throw Invalid.field(`${path}.high`, `must be above low (${low})`);
  if (log) requireExponent(high, `${path}.high`);
  return { kind: 'uniform', low, high, log, ...(q === undefined ? {} : { q }) };
};

/** Draws farther than this from `mu` do not occur: their chance is 1e-15. */
const farthestSigmas = 8;

const around = (mu: number, sigma: number, log: boolean, q: number | undefined, path: string): Dimension => {
  if (log) requireExponent(mu + farthestSigmas * sigma, `${path}.mu`);
  return { kind: 'normal', mu, sigma, log, ...(q === undefined ? {} : { q }) };
};

const requireExponent = (exponent: number, path: string): void => {
  if (Number.isFinite(Math.exp(exponent))) return;
  throw Invalid.field(path, `exp(${exponent}) is too large for a number`, {
    hint: 'The bounds of a log distribution are those of the logarithm: low: -7, high: 2 searches from 0.0009 to 7.4.',
  });
};

/** Whole numbers from `low` (default 0) up to and without `upper` (or `high`). */
const randint = (section: Section, path: string): Dimension => {
  const end = numberOf(section.upper ?? section.high, `${path}.upper`);
  const low = section.low === undefined ? 0 : numberOf(section.low, `${path}.low`);
  if (end <= low) throw Invalid.field(`${path}.upper`, `must be above ${low}`);
  // Two values are a choice: they have no order to learn from. One cannot be an interval.
  if (end - low <= 2)
    return { kind: 'choice', values: Array.from({ length: end - low }, (_, index) => low + index) };
  return { kind: 'uniform', low, high: end - 1, log: false, q: 1 };
};

const numberOf = (value: unknown, path: string): number => {
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  throw Invalid.field(path, 'must be a number');
};

const positive = (value: number, path: string): number => {
  if (value > 0) return value;
  throw Invalid.field(path, 'needs a positive sigma and q');
};

/** A value's draw: where it lies on the scale that the dimension is drawn on. */
export type Draw = number;

/** A draw from the prior. For a choice it is the position among the values. */
export const drawFrom = (dimension: Dimension, random: Random): Draw => {
  switch (dimension.kind) {
    case 'choice':
      return random.integer(dimension.values.length);
    case 'uniform': {
      // Half a step more at either end, so that the outermost multiples of q are as likely as the others.
      const margin = dimension.q === undefined || dimension.log ? 0 : dimension.q / 2;
      return dimension.low - margin + random.uniform() * (dimension.high - dimension.low + 2 * margin);
    }
    case 'normal':
      return dimension.mu + dimension.sigma * random.normal();
  }
};

/** The parameter's value that a draw stands for. */
export const valueAt = (dimension: Dimension, draw: Draw): unknown => {
  if (dimension.kind === 'choice') return dimension.values[draw];
  const plain = dimension.log ? Math.exp(draw) : draw;
  if (dimension.q === undefined) return plain;
  const rounded = Number((Math.round(plain / dimension.q) * dimension.q).toPrecision(12));
  if (dimension.kind === 'normal' || dimension.log) return rounded;
  return Math.min(Math.max(rounded, dimension.low), dimension.high);
};
