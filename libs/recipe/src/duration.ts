const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** Milliseconds of a duration as recipes write it (`90s`, `1.5h`, or a number of seconds); undefined for anything else. */
export const durationMs = (duration: unknown): number | undefined => {
  if (typeof duration === 'number') return duration > 0 ? duration * 1000 : undefined;
  const match = typeof duration === 'string' ? /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration) : null;
  if (match === null) return undefined;
  return Number(match[1]) * (unitMs[String(match[2])] ?? 0);
};
