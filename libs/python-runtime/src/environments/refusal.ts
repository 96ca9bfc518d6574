import { Exhausted, Unavailable } from '@millrace/errors';
import type { Refusal } from './installer.ts';

const outOfReach =
  /Failed to fetch|error sending request|dns error|Connect(?:ion)? (?:error|refused)|NewConnectionError|Temporary failure in name resolution|timed out/i;
const outOfSpace = /No space left on device|Disk quota exceeded/i;

/** What a package tool refused, unless that is no fault of the requirements: then `Unavailable` or `Exhausted` is thrown. */
export const refusalOf = (stderr: string, reason: string): Refusal => {
  if (outOfSpace.test(stderr)) {
    throw new Exhausted(`there is no space for the environment: ${reason}`, {
      hint: 'Free disk space (`millrace env prune`), then try again.',
    });
  }
  if (outOfReach.test(stderr)) {
    throw new Unavailable(`the package index could not be reached: ${reason}`, {
      hint: 'Check the network and the index (UV_DEFAULT_INDEX, PIP_INDEX_URL), then try again.',
    });
  }
  return { reason };
};
