import { setTimeout as delay } from 'node:timers/promises';
import { Conflict } from '@millrace/errors';
import type { WriteOutcome } from './chain-writer.ts';
import { type Chain, type OpenRequest, placeOf } from './commit-request.ts';
import { backoffMs } from './connection.ts';
import { fromMongo, isTransient } from './mongo-error.ts';

/** How often others may be faster before a request gives up. */
const MAX_LOSSES = 100;

/** Refuses those whose collection cannot be made ready; returns the others. */
export const readyOnes = async (requests: readonly OpenRequest[]): Promise<readonly OpenRequest[]> => {
  const preparations = await Promise.allSettled(requests.map(({ prepare }) => prepare()));
  return requests.filter((request, index) => {
    const preparation = preparations[index];
    if (preparation?.status !== 'rejected') return true;
    request.reject(preparation.reason);
    return false;
  });
};

/** The requests of a chain that was not written, prepared for the next round. */
export const openAgain = (chain: Chain, outcome: WriteOutcome): readonly OpenRequest[] => {
  const requests = chain.answers.map(({ request }) => request);
  for (const request of requests) {
    if (outcome.status === 'lost') request.losses += 1;
    if (outcome.status !== 'refused') continue;
    // A value may be taken only because the version was another: the next round knows by the version.
    if (requests.length === 1) request.refusal = { version: chain.base.version, error: outcome.error };
    request.alone = true;
  }
  return requests;
};

/** Refuses those that lost too often; the others wait a moment if they lost. */
export const givingUp = async (requests: readonly OpenRequest[]): Promise<readonly OpenRequest[]> => {
  const open = requests.filter((request) => {
    if (request.losses <= MAX_LOSSES) return true;
    request.reject(
      new Conflict(`${placeOf(request)} was changed by others ${MAX_LOSSES} times meanwhile`, {
        hint: 'Let fewer processes change one document.',
      }),
    );
    return false;
  });
  const losses = Math.max(0, ...open.map((request) => request.losses));
  if (losses > 0) await delay(backoffMs(Math.min(losses, 4) - 2));
  return open;
};

/** Refuses what cannot succeed later, and those whose time is over; returns the others. */
export const stillPatient = (requests: readonly OpenRequest[], failure: unknown): readonly OpenRequest[] => {
  const now = performance.now();
  return requests.filter((request) => {
    if (isTransient(failure) && now < request.deadline) return true;
    request.reject(fromMongo(failure));
    return false;
  });
};
