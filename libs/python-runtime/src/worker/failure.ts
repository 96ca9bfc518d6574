import { Exhausted, Internal, Invalid, type MillraceError } from '@millrace/errors';
import type { ThrownFrame } from './frames.ts';

/** ENOSPC and EDQUOT, as Python numbers them on Linux and macOS. */
const outOfSpace = new Set([28, 69, 122]);

/** The error of the taxonomy for what a job raised: the user's at fault, a limit that is reached, or a defect of ours. */
export const errorOfThrown = (thrown: ThrownFrame, activity: string): MillraceError => {
  const named = /^(?:millrace\.errors\.UserError|.*\.?ExitCalled|SystemExit)$/.test(thrown.exception)
    ? thrown.message
    : `${thrown.exception}: ${thrown.message}`;
  const place = placeOf(thrown);
  const details = detailsOf(thrown);
  if (thrown.exception.endsWith('MemoryError')) {
    return new Exhausted(`${prefix(place)}${activity} needed more memory than there is`, {
      hint: 'Use less data at once, or run it on a machine with more memory.',
      details,
    });
  }
  if (thrown.errno !== undefined && outOfSpace.has(thrown.errno)) {
    return new Exhausted(`${prefix(place)}${named}`, { hint: 'Free disk space, then try again.', details });
  }
  if (thrown.kind === 'worker') return new Internal(`${activity}: ${named}`, { details });
  if (thrown.path !== undefined && place === undefined) {
    return Invalid.field(thrown.path, named, { details, ...hint(thrown.hint) });
  }
  if (place === undefined) {
    return new Invalid(`${activity}: ${named}`, {
      hint: thrown.hint ?? 'The error came out of a library that the step called.',
      details,
    });
  }
  return new Invalid(`${place}: ${named}`, {
    hint: thrown.hint ?? `Fix the step function; it was running ${activity}.`,
    violations: [{ path: thrown.path ?? place, message: named }],
    details,
  });
};

const hint = (text: string | undefined) => (text === undefined ? {} : { hint: text });

const placeOf = ({ file, line }: ThrownFrame): string | undefined =>
  file === undefined ? undefined : `${file}:${line ?? 1}`;

const prefix = (place: string | undefined): string => (place === undefined ? '' : `${place}: `);

const detailsOf = ({ frames, exception }: ThrownFrame): Record<string, string> => ({
  exception,
  ...(frames.length === 0 ? {} : { stack: frames.join('\n') }),
});
