import type { Random } from '@millrace/random';
import { ascending } from '../statistics.ts';
import { type Dimension, type Draw, drawFrom } from './space.ts';

/** Draws of the better and of the other trials so far. */
export interface Split {
  readonly good: readonly Draw[];
  readonly rest: readonly Draw[];
}

const candidates = 24;

/**
 * Proposes a draw for one dimension by the tree-structured Parzen estimator: draws candidates from a density
 * over the good trials and takes the one most likely there compared with a density over the rest.
 * J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl: Algorithms for Hyper-Parameter Optimization, NeurIPS 2011, section 4;
 * bandwidths as in its section 4.2 (distance to the farther neighbour, clipped), the prior as one more kernel.
 */
export const proposeDraw = (dimension: Dimension, { good, rest }: Split, random: Random): Draw => {
  const better = densityOf(dimension, good);
  const other = densityOf(dimension, rest);
  let best = { draw: 0, score: Number.NEGATIVE_INFINITY };
  for (let index = 0; index < candidates; index += 1) {
    const draw = better.sample(random);
    const score = Math.log(better.at(draw)) - Math.log(other.at(draw));
    if (score > best.score) best = { draw, score };
  }
  return best.draw;
};

interface Density {
  sample(random: Random): Draw;
  at(draw: Draw): number;
}

const densityOf = (dimension: Dimension, draws: readonly Draw[]): Density =>
  dimension.kind === 'choice' ? categorical(dimension.values.length, draws) : parzen(dimension, draws);

/** Relative frequencies with one prior count per value. */
const categorical = (size: number, draws: readonly Draw[]): Density => {
  const weights = Array.from(
    { length: size },
    (_, value) => 1 + draws.filter((draw) => draw === value).length,
  );
  const total = size + draws.length;
  return {
    at: (draw) => (weights[draw] ?? 0) / total,
    sample: (random) => {
      let left = random.uniform() * total;
      const found = weights.findIndex((weight) => {
        left -= weight;
        return left < 0;
      });
      return found < 0 ? size - 1 : found;
    },
  };
};

type Continuous = Exclude<Dimension, { kind: 'choice' }>;

interface Kernel {
  readonly center: number;
  readonly width: number;
}

/** A mixture of normal kernels, one per draw and one for the prior; truncated to the bounds of a uniform. */
const parzen = (dimension: Continuous, draws: readonly Draw[]): Density => {
  const kernels = kernelsOf(dimension, draws);
  const bounds =
    dimension.kind === 'uniform'
      ? dimension
      : { low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const inside = ({ center, width }: Kernel) =>
    cumulative((bounds.high - center) / width) - cumulative((bounds.low - center) / width);
  const masses = kernels.map(inside);
  return {
    at: (draw) =>
      kernels.reduce((sum, { center, width }, index) => {
        const scaled = (draw - center) / width;
        return sum + Math.exp(-0.5 * scaled * scaled) / (width * (masses[index] ?? 1));
      }, 0),
    sample: (random) => {
      const kernel = kernels[random.integer(kernels.length)];
      if (kernel === undefined) return drawFrom(dimension, random);
      for (;;) {
        const draw = kernel.center + kernel.width * random.normal();
        if (draw >= bounds.low && draw <= bounds.high) return draw;
      }
    },
  };
};

const kernelsOf = (dimension: Continuous, draws: readonly Draw[]): Kernel[] => {
  const prior: Kernel =
    dimension.kind === 'uniform'
      ? { center: (dimension.low + dimension.high) / 2, width: dimension.high - dimension.low }
      : { center: dimension.mu, width: dimension.sigma };
  const sorted = ascending(draws);
  const narrowest = prior.width / Math.min(100, draws.length + 2);
  const kernels = sorted.map((center, index) => {
    const gaps = [sorted[index - 1], sorted[index + 1]].map((other) =>
      other === undefined ? 0 : Math.abs(center - other),
    );
    return { center, width: Math.min(Math.max(...gaps, narrowest), prior.width) };
  });
  return [...kernels, prior];
};

/** Standard normal distribution function: Abramowitz and Stegun 7.1.26 on erf, absolute error below 1.5e-7. */
const cumulative = (value: number): number => {
  if (value === Number.POSITIVE_INFINITY) return 1;
  if (value === Number.NEGATIVE_INFINITY) return 0;
  const x = Math.abs(value) / Math.SQRT2;
  const t = 1 / (1 + 0.3275911 * x);
  const tail =
    t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  const erf = 1 - tail * Math.exp(-x * x);
  return value < 0 ? (1 - erf) / 2 : (1 + erf) / 2;
};
