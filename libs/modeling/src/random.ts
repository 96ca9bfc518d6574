/** A stream of uniform numbers in [0, 1). */
export type Random = () => number;

/** 32-bit FNV-1a hash of a text, to derive an independent seed from a seed and a name. */
export const hashText = (text: string): number => {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  return hash >>> 0;
};

/**
 * A seeded generator: sfc32 of Chris Doty-Humphrey's PractRand, 128 bits of state. The same seed and stream
 * name give the same numbers on every platform.
 */
export const seededRandom = (seed: number, stream = ''): Random => {
  let a = hashText(`${stream}:a`);
  let b = seed >>> 0;
  let c = Math.floor(seed / 2 ** 32) >>> 0;
  let counter = 1;
  const next = (): number => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return (sum >>> 0) / 2 ** 32;
  };
  // The first outputs still show the seed's pattern.
  for (let round = 0; round < 15; round += 1) next();
  return next;
};

/** One standard normal value (Box-Muller). */
export const normal = (random: Random): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** A permutation of 0 … count-1 (Fisher-Yates). */
export const permutation = (count: number, random: Random): number[] => {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let index = count - 1; index > 0; index -= 1) {
    const other = Math.floor(random() * (index + 1));
    [order[index], order[other]] = [order[other] as number, order[index] as number];
  }
  return order;
};
