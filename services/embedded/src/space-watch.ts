import { statfs } from 'node:fs/promises';

/** Free bytes below which writes may have failed, and from which they will not: apart, so that one does not follow the other at once. */
const low = 16 * 1024 ** 2;
const enough = 2 * low;
const intervalMs = 1_000;

/** Calls back each time that the disk of a directory was about full and has space again. Returns how to stop. */
export const onSpaceRegained = (directory: string, regained: () => void): (() => void) => {
  let wasLow = false;
  const look = async () => {
    const { bavail, bsize } = await statfs(directory);
    const free = bavail * bsize;
    if (free < low) wasLow = true;
    else if (wasLow && free >= enough) {
      wasLow = false;
      regained();
    }
  };
  // A disk that does not answer once is looked at again.
  const timer = setInterval(() => void look().catch(() => {}), intervalMs);
  return () => clearInterval(timer);
};
