import { Invalid } from '@millrace/errors';

/** Every subject of the bus begins with one of these; the streams in `topology.ts` are made of them. */
export const subjects = {
  events: 'millrace.evt',
  steps: 'millrace.step',
  inference: 'millrace.inference',
  spans: 'millrace.spans',
  dead: 'millrace.dead',
  replayed: 'millrace.replayed',
  progress: 'millrace.progress',
  refill: 'millrace.refill',
  /** Messages that a server gave up on, as a keeper hands them to their consumer. */
  exhausted: 'millrace.exhausted',
  /** What is asked of the keeper. */
  keeper: 'millrace.keeper',
} as const;

const token = /^[A-Za-z0-9_-]+$/;
const tokenOrWildcard = /^([A-Za-z0-9_-]+|\*|>)$/;

/** Throws `Invalid` unless the text can be one token of a subject: letters, digits, `_` and `-`. */
export const checkToken = (text: string, path: string): string => {
  if (token.test(text)) return text;
  const bad = /[^A-Za-z0-9_-]/.exec(text)?.[0];
  throw Invalid.field(
    path,
    bad === undefined ? 'must not be empty' : `must not contain ${JSON.stringify(bad)}`,
  );
};

/** Throws `Invalid` unless it is a subject to publish to (no wildcards). */
export const checkSubject = (subject: string, path = 'subject'): string => {
  for (const part of subject.split('.')) checkToken(part, path);
  return subject;
};

/** Throws `Invalid` unless it is a subject to subscribe to: `*` for a token, `>` at the end for the rest. */
export const checkFilter = (subject: string, path = 'subject'): string => {
  const parts = subject.split('.');
  for (const [i, part] of parts.entries()) {
    if (!tokenOrWildcard.test(part) || (part === '>' && i < parts.length - 1)) {
      throw Invalid.field(path, `"${subject}" is not a subject: "${part}" cannot stand there`);
    }
  }
  return subject;
};
