import { describe, expect, test } from 'vitest';
import { releasePiece } from './release-piece.ts';

describe('releasing a piece', () => {
  test('frees memory that is its own', () => {
    for (const piece of [new Uint8Array(10), Buffer.alloc(100_000), new Uint8Array(0)]) {
      releasePiece(piece);
      expect(piece.buffer.byteLength).toBe(0);
    }
  });

  test('leaves alone what it shares, or cannot have for itself', () => {
    const whole = new Uint8Array(10).fill(7);
    releasePiece(whole.subarray(0, 9));
    expect(whole).toEqual(new Uint8Array(10).fill(7));
    const shared = new Uint8Array(new SharedArrayBuffer(10));
    releasePiece(shared);
    expect(shared.length).toBe(10);
  });
});
