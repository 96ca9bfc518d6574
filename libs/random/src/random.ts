import { Invalid } from '@millrace/errors';
import { mersenne } from 'pure-rand/generator/mersenne';
import { hashText } from './hash-text.ts';

/** A stream of random numbers. Two with the same seed are equal. */
export interface Random {
  /** Uniform on 0 … 2^32 − 1. */
  uint32(): number;
  /** Uniform on [0, 1) with 53 bits; equal to `RandomState.random_sample()`. */
  uniform(): number;
  /** Uniform on 0 … bound − 1, `floor(uniform() × bound)`. */
  integer(bound: number): number;
  /** Standard normal (Box and Muller, Annals of Mathematical Statistics 29, 1958). */
  normal(): number;
  /** The numbers 0 … count − 1 in random order. */
  permutation(count: number): Uint32Array;
  /** Shuffles in place and returns its argument. */
  shuffle<T>(values: T[]): T[];
  /** A stream of its own for a named purpose; independent of how much was drawn from this one. */
  derive(purpose: string): Random;
}

/** Default of every seeded computation when the recipe states no `seed`. */
export const defaultSeed = 42;

/**
 * MT19937 seeded as numpy's `RandomState(seed)`, so that any draw can be repeated in Python.
 * @throws Invalid unless `seed` is an integer of 0 … 2^32 − 1.
 */
export const createRandom = (seed: number = defaultSeed): Random => {
  if (!Number.isInteger(seed) || seed < 0 || seed > 0xffff_ffff) {
    throw Invalid.field('seed', `${seed} is not an integer from 0 to 4294967295`);
  }
  const generator = mersenne(seed);
  const uniform = () => {
    const high = (generator.next() >>> 0) >>> 5;
    const low = (generator.next() >>> 0) >>> 6;
    return (high * 0x400_0000 + low) / 2 ** 53;
  };
  const integer = (bound: number) => Math.floor(uniform() * bound);
  return {
    uint32: () => generator.next() >>> 0,
    uniform,
    integer,
    normal: () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform()),
    permutation: (count) => {
      const order = Uint32Array.from({ length: count }, (_, index) => index);
      exchange(order, integer);
      return order;
    },
    shuffle: (values) => {
      exchange(values, integer);
      return values;
    },
    derive: (purpose) => createRandom(hashText(purpose, seed)),
  };
};

/** Fisher–Yates, from the end. */
const exchange = (
  values: { readonly length: number; [index: number]: unknown },
  integer: (bound: number) => number,
): void => {
  for (let last = values.length - 1; last > 0; last--) {
    const other = integer(last + 1);
    const swapped = values[last];
    values[last] = values[other];
    values[other] = swapped;
  }
};
