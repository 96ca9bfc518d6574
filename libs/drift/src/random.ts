/** A source of uniform numbers in [0, 1). */
export type Random = () => number;

/** 32-bit finaliser of MurmurHash3 (A. Appleby, public domain): spreads every input bit over the output. */
const mix = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** FNV-1a over UTF-16 code units, finalised by `mix`. Not cryptographic. */
export const hashText = (text: string, seed: number): number => {
  let h = (0x811c9dc5 ^ mix(seed)) | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return mix(h);
};

/** SplitMix32: a Weyl sequence through `mix`; period 2^32, enough for Monte-Carlo tests of 20,000 draws. */
export const seededRandom = (seed: number): Random => {
  let state = mix(seed);
  return () => {
    state = (state + 0x9e3779b9) | 0;
    return mix(state) / 2 ** 32;
  };
};

/**
 * Priority of a row in the window's sample: a uniform 32-bit number that depends only on the row's identity, so
 * that the sample is the same in whatever order, however often and in however many parts the rows arrive.
 */
export const rowPriority = (rowId: string, seed: number): number => hashText(rowId, seed);
