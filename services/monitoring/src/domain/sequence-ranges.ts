/** Closed ranges of sequence numbers, ascending, not touching each other. */
export type SequenceRanges = readonly (readonly [first: number, last: number])[];

/** Gaps remembered per source; the oldest beyond them count as given up. */
const maxRanges = 64;

export const hasSequence = (ranges: SequenceRanges, sequence: number): boolean =>
  ranges.some(([first, last]) => first <= sequence && sequence <= last);

/** The next sequence in order: after the last range. 1 at the start. */
export const nextSequence = (ranges: SequenceRanges): number => (ranges.at(-1)?.[1] ?? 0) + 1;

/** The ranges with one more number. */
export const addSequence = (ranges: SequenceRanges, sequence: number): SequenceRanges => {
  if (hasSequence(ranges, sequence)) return ranges;
  const below = ranges.filter(([, last]) => last < sequence - 1);
  const above = ranges.filter(([first]) => first > sequence + 1);
  const touching = ranges.filter(([first, last]) => last === sequence - 1 || first === sequence + 1);
  const first = Math.min(sequence, ...touching.map(([start]) => start));
  const last = Math.max(sequence, ...touching.map(([, end]) => end));
  const all = [...below, [first, last] as const, ...above];
  if (all.length <= maxRanges) return all;
  const [oldest, second, ...rest] = all;
  return [[oldest?.[0] ?? first, second?.[1] ?? last], ...rest];
};
