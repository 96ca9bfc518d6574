import { randomFillSync } from 'node:crypto';
import { monotonicFactory } from 'ulid';

/** Random bytes, drawn many at once: to ask for each by itself takes longer than all else that makes an id. */
const pool = new Uint8Array(4_096);
let used = pool.length;

/** Evenly spread in [0, 1), in steps of 1/256. */
const random = (): number => {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  const byte = pool[used] ?? 0;
  used += 1;
  return byte / 256;
};

/** A new ULID: 26 characters that sort by creation. Within one millisecond they ascend, and cost no randomness. */
export const newUlid = monotonicFactory(random);
