import {
  Exhausted,
  FailedPrecondition,
  Internal,
  MillraceError,
  messageOf,
  Unavailable,
} from '@millrace/errors';
import { uniqueConflict } from '../change.ts';

interface SqliteError extends Error {
  readonly code: 'ERR_SQLITE_ERROR';
  /** Extended result code, https://sqlite.org/rescode.html */
  readonly errcode: number;
}

const Primary = {
  permission: 3,
  busy: 5,
  locked: 6,
  readOnly: 8,
  inputOutput: 10,
  corrupt: 11,
  full: 13,
  cannotOpen: 14,
  notADatabase: 26,
} as const;
const UNIQUE = 2067;

const isSqliteError = (thrown: unknown): thrown is SqliteError =>
  thrown instanceof Error && (thrown as Partial<SqliteError>).code === 'ERR_SQLITE_ERROR';

// The low byte of an extended result code is the primary one.
const primaryOf = (error: SqliteError): number => error.errcode & 0xff;

const uniqueViolation = (error: SqliteError): MillraceError =>
  uniqueConflict(/\.f:(.+)$/.exec(error.message)?.[1] ?? '', error);

/** The taxonomy's error for one of SQLite; errors of the taxonomy pass unchanged. */
export const fromSqlite = (thrown: unknown): MillraceError => {
  if (thrown instanceof MillraceError) return thrown;
  if (!isSqliteError(thrown)) return new Internal(messageOf(thrown), { cause: thrown });
  if (thrown.errcode === UNIQUE) return uniqueViolation(thrown);
  const message = `store: ${thrown.message}`;
  switch (primaryOf(thrown)) {
    case Primary.full:
      return new Exhausted(message, {
        cause: thrown,
        hint: 'Free disk space, then try again; nothing was changed.',
      });
    case Primary.busy:
    case Primary.locked:
      return new Unavailable(message, {
        cause: thrown,
        hint: 'Another process holds the store locked; try again.',
      });
    case Primary.inputOutput:
      return new Unavailable(message, { cause: thrown, hint: 'The disk does not answer; check it.' });
    case Primary.permission:
    case Primary.readOnly:
    case Primary.cannotOpen:
      return new FailedPrecondition(message, {
        cause: thrown,
        hint: 'Check that the store, its folder and their permissions allow reading and writing.',
      });
    case Primary.corrupt:
    case Primary.notADatabase:
      return new Internal(message, { cause: thrown, hint: 'The file is damaged: restore a backup.' });
    default:
      return new Internal(message, { cause: thrown });
  }
};

const causedBy = (thrown: unknown, codes: readonly number[]): boolean => {
  const cause = thrown instanceof MillraceError ? thrown.cause : undefined;
  return isSqliteError(cause) && codes.includes(primaryOf(cause));
};

/** Another connection holds the lock: the same transaction may succeed later. */
export const isBusy = (thrown: unknown): boolean => causedBy(thrown, [Primary.busy, Primary.locked]);

/** The medium failed, whatever the statement was: every statement of the transaction shares its fate. */
export const isMediumFailure = (thrown: unknown): boolean =>
  causedBy(thrown, [
    Primary.busy,
    Primary.locked,
    Primary.readOnly,
    Primary.inputOutput,
    Primary.corrupt,
    Primary.full,
    Primary.cannotOpen,
  ]);
