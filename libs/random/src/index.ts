export { hashText } from './hash-text.ts';
export { createRandom, defaultSeed, type Random } from './random.ts';
