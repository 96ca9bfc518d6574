import { describe, expect, it } from 'vitest';
import { createRandom } from '../src/index.ts';
import { fixture } from './fixture.ts';

describe('the random generator', () => {
  it('is MT19937: first and ten-thousandth output of the reference implementation', () => {
    // Matsumoto and Nishimura's default seed; C++ [rand.predef] fixes the 10,000th output.
    const random = createRandom(5489);
    const outputs = Array.from({ length: 10_000 }, () => random.uint32());
    expect(outputs[0]).toBe(3_499_211_612);
    expect(outputs[9_999]).toBe(4_123_659_995);
  });

  it('draws the uniforms of numpy', () => {
    const random = createRandom(42);
    expect(fixture.uniforms42.map(() => random.uniform())).toEqual(fixture.uniforms42);
  });

  it('repeats itself for a seed and differs between purposes', () => {
    const draw = (purpose: string) => {
      const random = createRandom(1).derive(purpose);
      return [random.integer(1000), random.integer(1000), random.integer(1000)];
    };
    expect(draw('a')).toEqual(draw('a'));
    expect(draw('a')).not.toEqual(draw('b'));
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

  it('refuses seeds outside 32 bits', () => {
    for (const seed of [-1, 1.5, 2 ** 32, Number.NaN]) expect(() => createRandom(seed)).toThrow('seed');
  });
});
