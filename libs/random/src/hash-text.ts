/** 32-bit finaliser of MurmurHash3 (A. Appleby, public domain): spreads every input bit over the output. */
const mix = (value: number): number => {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85eb_ca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return (h ^ (h >>> 16)) >>> 0;
};

/** A 32-bit hash of text and seed: FNV-1a over UTF-16 code units, finalised by `mix`. Not cryptographic. */
export const hashText = (text: string, seed: number): number => {
  let h = (0x811c_9dc5 ^ mix(seed)) | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x0100_0193);
  return mix(h);
};
