import { Invalid } from '@millrace/errors';
import { mersenne } from 'pure-rand/generator/mersenne';

/**
 * The project's source of seeded randomness: MT19937, seeded as numpy's `RandomState(seed)`, so that any
 * resampling here can be repeated in Python.
 */
export interface Random {
  /** Uniform on 0 … 2^32 − 1. */
  uint32(): number;
  /** Uniform on [0, 1) with 53 bits; equal to `RandomState.random_sample()`. */
  uniform(): number;
  /** Uniform on 0 … bound − 1, `floor(uniform() × bound)`. */
  integer(bound: number): number;
  /** Shuffles in place (Fisher–Yates, from the end) and returns its argument. */
  shuffle<T extends Shufflable>(values: T): T;
  /** A generator of its own for a named purpose; independent of how much was drawn from this one. */
  derive(purpose: string): Random;
}

/** An array, typed or not. */
export interface Shufflable {
  readonly length: number;
  [index: number]: unknown;
}

/** Default of every seeded computation when the recipe states no `seed`. */
export const defaultSeed = 42;

/** @throws Invalid unless `seed` is an integer of 0 … 2^32 − 1. */
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
    shuffle: <T extends Shufflable>(values: T) => {
      const elements: Shufflable = values;
      for (let last = values.length - 1; last > 0; last--) {
        const other = integer(last + 1);
        const swapped = elements[last];
        elements[last] = elements[other];
        elements[other] = swapped;
      }
      return values;
    },
    derive: (purpose) => createRandom(fnv1a(`${seed}/${purpose}`)),
  };
};

/** 32-bit FNV-1a of the UTF-8 bytes (http://www.isthe.com/chongo/tech/comp/fnv/). */
const fnv1a = (text: string): number => {
  let hash = 0x811c_9dc5;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x0100_0193);
  return hash >>> 0;
};
