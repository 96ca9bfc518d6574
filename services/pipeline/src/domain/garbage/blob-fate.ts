/** What becomes of a blob, and why. */
export interface Fate {
  readonly action: 'keep' | 'retire' | 'restore' | 'wait' | 'purge';
  readonly reason: string;
}

const hoursOf = (ms: number): string => `${(ms / 3_600_000).toFixed(1)} h`;

/** Of a blob in its place. Young ones may be of work that has not said yet what they are for. */
export const fateOfStored = (isLive: boolean, ageMs: number, graceMs: number): Fate => {
  if (isLive) return { action: 'keep', reason: 'it is in use' };
  if (ageMs <= graceMs) return { action: 'keep', reason: `it was put only ${hoursOf(ageMs)} ago` };
  return { action: 'retire', reason: `nothing refers to it, and it was put ${hoursOf(ageMs)} ago` };
};

/** Of a blob that was put aside. Whoever used it since has taken it back. */
export const fateOfRetired = (isLive: boolean, asideMs: number, graceMs: number): Fate => {
  if (isLive) return { action: 'restore', reason: 'it was aside, and something refers to it' };
  if (asideMs <= graceMs) return { action: 'wait', reason: `it has been aside for only ${hoursOf(asideMs)}` };
  return { action: 'purge', reason: `nobody asked for it in the ${hoursOf(asideMs)} that it was aside` };
};
