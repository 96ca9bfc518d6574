import { Invalid } from '@millrace/errors';

/** The time as ISO 8601 in UTC, whose text sorts by time. Throws `Invalid` on anything else. */
export const checkTime = (time: string): string => {
  const date = new Date(time);
  if (Number.isNaN(date.getTime())) throw Invalid.field('time', 'must be an ISO 8601 time');
  return date.toISOString();
};
