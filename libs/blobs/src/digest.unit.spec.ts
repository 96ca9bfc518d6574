import { describe, expect, test } from 'vitest';
import { digestOf, isDigest, parseDigest } from './digest.ts';

describe('digest', () => {
  test('is the SHA-256 of the content (FIPS 180-2, example B.1)', () => {
    expect(digestOf('abc')).toBe('sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad');
  });

  test('is refused with the name of the field when it is not well formed', () => {
    expect(() => parseDigest('sha256:xyz', 'model.digest')).toThrow(/^model\.digest: must be/);
    expect(isDigest(`${digestOf('')} `)).toBe(false);
    expect(parseDigest(digestOf(''))).toBe(digestOf(''));
  });
});
