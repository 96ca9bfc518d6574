import { relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  asMillraceError,
  Exhausted,
  errorFromJson,
  Internal,
  Invalid,
  type MillraceError,
  Unavailable,
} from '@millrace/errors';
import type { ThrownDescription } from './protocol.ts';
import type { Exit } from './supervised-child.ts';

/** A place in the user's own code. */
export interface UserFrame {
  /** Relative to the user's root, `/`-separated. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** The stack line, shortened to the relative path. */
  readonly text: string;
}

const location = /(?:file:\/\/)?(\/[^\s()]+?):(\d+)(?::(\d+))?/;

/** The frames of a stack (or code frame of a syntax error) that lie in the user's own files, in order. */
export const userFrames = (stack: string, userRoot: string): UserFrame[] =>
  stack.split('\n').flatMap((line) => {
    const match = location.exec(line);
    if (match === null) return [];
    const path = relative(userRoot, decode(match[0], match[1] ?? ''));
    if (path.startsWith('..') || path.includes(`node_modules${sep}`)) return [];
    const file = path.split(sep).join('/');
    const place = `${file}:${match[2]}${match[3] === undefined ? '' : `:${match[3]}`}`;
    return [
      {
        file,
        line: Number(match[2]),
        column: Number(match[3] ?? 1),
        text: line.trim().replace(match[0], place),
      },
    ];
  });

const decode = (found: string, path: string): string =>
  found.startsWith('file://') ? fileURLToPath(`file://${path}`) : path;

/**
 * The error of a job whose code threw. One of the taxonomy stays what it is, and so does the system's want of space;
 * anything else thrown out of the user's files is their input at fault and names file and line; the rest is a defect
 * of ours.
 */
export const errorOfThrown = (
  thrown: ThrownDescription,
  userRoot: string | undefined,
  activity: string,
): MillraceError => {
  if (thrown.taxonomy !== undefined) return errorFromJson(thrown.taxonomy);
  const system = asMillraceError(Object.assign(new Error(thrown.message), { code: thrown.code }));
  if (system instanceof Exhausted) return system;
  const named = thrown.name === 'Error' ? thrown.message : `${thrown.name}: ${thrown.message}`;
  if (userRoot === undefined) {
    return new Internal(named, { cause: Object.assign(new Error(thrown.message), { stack: thrown.stack }) });
  }
  const frames = userFrames(thrown.stack, userRoot);
  const first = frames[0];
  if (first === undefined) {
    return new Invalid(`${activity}: ${named}`, { hint: 'The error came out of the step function.' });
  }
  return new Invalid(`${first.file}:${first.line}:${first.column}: ${named}`, {
    hint: `Fix the step function; it was running ${activity}.`,
    violations: [{ path: `${first.file}:${first.line}:${first.column}`, message: named }],
    details: { stack: frames.map(({ text }) => text).join('\n') },
  });
};

/** The error of a job whose process ended without a result. */
export const errorOfExit = (
  exit: Exit,
  stderr: string,
  memoryMb: number | undefined,
  activity: string,
): MillraceError => {
  if (memoryMb !== undefined && /heap out of memory|Allocation failed/.test(stderr))
    return outOfMemory(memoryMb, activity);
  if (exit.signal === 'SIGKILL' || exit.signal === 'SIGTERM') {
    return new Unavailable(`the process of ${activity} was killed by ${exit.signal} from outside`, {
      hint: 'The system may have run out of memory; try again.',
      details: { signal: exit.signal },
    });
  }
  const how = exit.signal === null ? `exited with code ${exit.code}` : `was killed by ${exit.signal}`;
  const { where } = exit;
  const message = `${where === undefined ? '' : `${where}: `}the process of ${activity} ${how} without a result`;
  const facts = {
    hint: lastLine(stderr),
    details: {
      ...(exit.signal === null ? { exitCode: String(exit.code) } : { signal: exit.signal }),
      ...(where === undefined ? {} : { where }),
    },
  };
  // A crash in a library that the user's own code called is theirs to look into.
  return where === undefined ? new Internal(message, facts) : new Invalid(message, facts);
};

/** `where` is the place in the user's code, when that is known. */
export const outOfMemory = (memoryMb: number, activity: string, where?: string): Exhausted =>
  new Exhausted(
    `${where === undefined ? '' : `${where}: `}${activity} needed more than ${memoryMb} MB of memory`,
    {
      hint: 'Use less data at once, or raise `memory_mb` of the step.',
      details: { memoryMb: String(memoryMb), ...(where === undefined ? {} : { where }) },
    },
  );

const lastLine = (text: string): string => {
  const line = text.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  return line === '' ? 'It wrote nothing to its error output.' : `Its last words: ${line}`;
};
