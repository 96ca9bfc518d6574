import { Invalid } from '@millrace/errors';

/** Milliseconds from each failed attempt to the next; when they are used up, a delivery has failed for good. */
export type RetrySchedule = readonly number[];

/** The example of Standard Webhooks 1.0.0: ten attempts over three days and three and a half hours. */
export const standardSchedule = '5s,5m,30m,2h,5h,10h,14h,20h,24h';

const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 24 * 3_600_000,
};

/** The longest wait that is asked for or accepted from a receiver. */
export const longestDelayMs = 24 * 3_600_000;
const maxRetries = 30;

/** Milliseconds of `90s`, `30m`, `5d`. Throws `Invalid` on `path`. */
export const parseDuration = (text: string, path: string): number => {
  const match = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text.trim());
  if (match === null) throw Invalid.field(path, `"${text}" is not a duration such as 30s, 5m, 2h or 1d`);
  return Number(match[1]) * (units[match[2] ?? ''] ?? 0);
};

/** From `5s,5m,30m`. Throws `Invalid` on `path`. */
export const parseSchedule = (text: string, path: string): RetrySchedule => {
  const delays = text.split(',').map((part) => parseDuration(part, path));
  if (delays.length > maxRetries) throw Invalid.field(path, `must have at most ${maxRetries} delays`);
  if (delays.some((delay) => delay > longestDelayMs)) throw Invalid.field(path, 'no delay may exceed 1d');
  return delays;
};

/** Share of the delay that chance adds, so that what failed together is not tried together. */
const jitter = 0.2;

/**
 * Milliseconds until the next attempt after `failures` failed ones, or `undefined` when there is none. `random` is
 * uniform on [0, 1). A receiver may ask for more time, not for less.
 */
export const nextDelayMs = (
  schedule: RetrySchedule,
  failures: number,
  random: number,
  retryAfterMs = 0,
): number | undefined => {
  const delay = schedule[failures - 1];
  if (delay === undefined) return undefined;
  return Math.round(Math.max(delay * (1 + jitter * random), Math.min(retryAfterMs, longestDelayMs)));
};

/** Milliseconds that `Retry-After` asks for (RFC 9110, 10.2.3): seconds or a date; 0 when it says nothing usable. */
export const retryAfterMs = (header: string | undefined, now: number): number => {
  if (header === undefined) return 0;
  const wanted = /^\d{1,9}$/.test(header.trim()) ? Number(header) * 1000 : Date.parse(header) - now;
  return Number.isFinite(wanted) ? Math.min(Math.max(0, wanted), longestDelayMs) : 0;
};
