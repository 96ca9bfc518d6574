import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createRandom, hashText } from '../src/index.ts';

/** What numpy drew; see `reference/make_fixture.py`. */
const reference: { readonly uniforms: readonly { seed: number; values: readonly number[] }[] } = JSON.parse(
  readFileSync(new URL('./reference/numpy.json', import.meta.url), 'utf8'),
);

describe('the random generator', () => {
  it('is MT19937: first and ten-thousandth output of the reference implementation', () => {
    // Matsumoto and Nishimura's default seed; C++ [rand.predef] fixes the 10,000th output.
    const random = createRandom(5489);
    const outputs = Array.from({ length: 10_000 }, () => random.uint32());
    expect(outputs[0]).toBe(3_499_211_612);
    expect(outputs[9_999]).toBe(4_123_659_995);
  });

  it.each(reference.uniforms)('draws the uniforms of numpy for seed $seed', ({ seed, values }) => {
    const random = createRandom(seed);
    expect(values.map(() => random.uniform())).toEqual(values);
  });

  it('repeats itself for a seed and differs between purposes and seeds', () => {
    const draw = (seed: number, purpose: string) => {
      const random = createRandom(seed).derive(purpose);
      return [random.integer(1000), random.integer(1000), random.integer(1000)];
    };
    expect(draw(1, 'a')).toEqual(draw(1, 'a'));
    expect(draw(1, 'a')).not.toEqual(draw(1, 'b'));
    expect(draw(1, 'a')).not.toEqual(draw(2, 'a'));
  });

  it('derives the same generator however much was drawn before', () => {
    const random = createRandom(3);
    const early = random.derive('x').uint32();
    random.uint32();
    expect(random.derive('x').uint32()).toBe(early);
  });

  it('shuffles to a permutation, each position reached about equally often', () => {
    const random = createRandom(9);
    const seenFirst = [0, 0, 0, 0];
    for (let round = 0; round < 4000; round++) {
      const shuffled = random.shuffle([0, 1, 2, 3]);
      expect([...shuffled].sort()).toEqual([0, 1, 2, 3]);
      seenFirst[shuffled[0]!]! += 1;
    }
    // Expected 1000 each with a standard deviation of 27.
    for (const count of seenFirst) expect(Math.abs(count - 1000)).toBeLessThan(140);
  });

  it('orders a permutation as it shuffles a list', () => {
    expect(Array.from(createRandom(4).permutation(10))).toEqual(
      createRandom(4).shuffle([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
    );
  });

  it('draws normal numbers with mean 0, variance 1 and 5 % beyond 1.96', () => {
    const random = createRandom(6);
    const values = Array.from({ length: 20_000 }, () => random.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    const beyond = values.filter((value) => Math.abs(value) > 1.959964).length / values.length;
    // Four standard errors: 0.007, 0.01 and 0.0015.
    expect(Math.abs(mean)).toBeLessThan(0.028);
    expect(Math.abs(variance - 1)).toBeLessThan(0.04);
    expect(Math.abs(beyond - 0.05)).toBeLessThan(0.0062);
  });

  it('refuses seeds outside 32 bits', () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN]) expect(() => createRandom(seed)).toThrow('seed');
  });
});

describe('the hash of a text', () => {
  it('is a uniform number of 32 bits that depends on text and seed', () => {
    const hashes = Array.from({ length: 10_000 }, (_, row) => hashText(`row-${row}`, 42));
    expect(new Set(hashes).size).toBeGreaterThan(9_990);
    const inQuarters = [0, 0, 0, 0];
    for (const hash of hashes) inQuarters[Math.floor(hash / 2 ** 30)]! += 1;
    // Expected 2500 each with a standard deviation of 43.
    for (const count of inQuarters) expect(Math.abs(count - 2500)).toBeLessThan(175);
    expect(hashText('row-1', 1)).not.toBe(hashText('row-1', 2));
  });
});
