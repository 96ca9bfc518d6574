import { createHash } from 'node:crypto';
import type { TrafficShare } from './endpoint.ts';

/**
 * Revision that answers a request whose place in the traffic is `point` (0 to 100): the first share in which the
 * point falls. `undefined` when nothing serves.
 */
export const revisionAt = (traffic: readonly TrafficShare[], point: number): number | undefined => {
  let upTo = 0;
  let last: number | undefined;
  for (const { revision, percent, shadow } of traffic) {
    if (shadow || percent === 0) continue;
    upTo += percent;
    last = revision;
    if (point < upTo) return revision;
  }
  return last;
};

/** Revisions that get a copy of a request at `point`. */
export const shadowsAt = (traffic: readonly TrafficShare[], point: number): readonly number[] =>
  traffic.filter(({ shadow, percent }) => shadow && point < percent).map(({ revision }) => revision);

/** The place of a unit (a user, a device) in an endpoint's traffic: the same unit always gets the same. */
export const pointOf = (endpoint: string, unit: string): number =>
  (createHash('sha256').update(`${endpoint}\0${unit}`).digest().readUInt32BE(0) / 2 ** 32) * 100;

/** Fractional part of the golden ratio: of all steps around a circle, the one that leaves the most even gaps. */
const goldenStep = (Math.sqrt(5) - 1) / 2;

/**
 * Places in [0, 1) that are evenly spread however few are taken (the additive recurrence of the golden ratio), so
 * that a canary gets its share of twenty requests and not only of twenty thousand.
 *
 * @param start where to begin, in [0, 1)
 */
export const evenlySpread = (start: number): (() => number) => {
  let place = start;
  return () => {
    place = (place + goldenStep) % 1;
    return place;
  };
};
