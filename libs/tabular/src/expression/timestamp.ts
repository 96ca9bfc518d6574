const iso =
  /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,6}))?)?(Z|[+-]\d{2}:\d{2})?)?$/;

/**
 * Milliseconds since the epoch of an ISO 8601 date or time, UTC where it names no offset; `undefined` when it is
 * none.
 */
export const parseTimestamp = (text: string): number | undefined => {
  const match = iso.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] = match;
  const whole = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}${zone}`);
  if (Number.isNaN(whole) || !isCalendarDay(Number(year), Number(month), Number(day))) return undefined;
  return whole + Number(`0.${fraction || '0'}`) * 1000;
};

/** `Date.parse` takes 30 February for 2 March. */
const isCalendarDay = (year: number, month: number, day: number): boolean => {
  const date = new Date(Date.UTC(year, month - 1, day));
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
};
