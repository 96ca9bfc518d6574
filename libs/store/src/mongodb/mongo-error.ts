import {
  Exhausted,
  FailedPrecondition,
  Internal,
  Invalid,
  MillraceError,
  messageOf,
  Unavailable,
} from '@millrace/errors';
import {
  MongoBulkWriteError,
  MongoDriverError,
  MongoError,
  MongoInvalidArgumentError,
  MongoNetworkError,
  MongoOperationTimeoutError,
  MongoServerError,
  MongoServerSelectionError,
  MongoSystemError,
  type WriteError,
} from 'mongodb';

// https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml
const DUPLICATE_KEY = 11000;
const AUTHENTICATION_FAILED = 18;

/** The server is starting, stopping, electing, or a majority did not answer in time: later it may go well. */
const transientCodes = new Set([
  6, 7, 24, 50, 64, 89, 91, 112, 134, 189, 202, 262, 9001, 10107, 11600, 11602, 13435, 13436,
]);
/** Errors of the driver, which exports no class for some of them. */
const transientNames = new Set([
  'MongoPoolClosedError',
  'MongoServerClosedError',
  'MongoStalePrimaryError',
  'MongoWaitQueueTimeoutError',
  'MongoTopologyClosedError',
  'MongoNotConnectedError',
  'MongoClientClosedError',
]);
const tooLargeCodes = new Set([10334, 17419, 17420, 17280]);
const fullCodes = new Set([39, 14031]);
const deniedCodes = new Set([13, 18, 31, 8000]);

const isTransientServerError = (error: MongoError): boolean =>
  transientCodes.has(Number(error.code)) || error.hasErrorLabel('RetryableWriteError');

/** A call took longer than it may. */
export class NoAnswer extends Error {}

/** Whether the client may have lost its server for good. */
export const isLost = (thrown: unknown): boolean =>
  thrown instanceof MongoServerSelectionError || thrown instanceof NoAnswer;

/** Whether the user is unknown or its password wrong. */
export const isWrongPassword = (thrown: unknown): boolean =>
  thrown instanceof MongoServerError && thrown.code === AUTHENTICATION_FAILED;

/** Whether the same call may succeed later; whether it took place is not known. */
export const isTransient = (thrown: unknown): boolean => {
  if (thrown instanceof MillraceError) return false;
  if (thrown instanceof NoAnswer) return true;
  if (thrown instanceof MongoNetworkError || thrown instanceof MongoOperationTimeoutError) return true;
  // No server was found in time.
  if (thrown instanceof MongoSystemError) return true;
  if (thrown instanceof MongoDriverError) return transientNames.has(thrown.name);
  if (thrown instanceof MongoBulkWriteError) {
    // Without a code it is an error of the network, which the driver has put into this one.
    const withoutAnswer = thrown.code === undefined && writeErrorsOf(thrown).length === 0;
    if (withoutAnswer || thrown.result.getWriteConcernError() !== undefined) return true;
  }
  return thrown instanceof MongoError && isTransientServerError(thrown);
};

/** The name of the index that refused a value held by another document. */
export const duplicateIndex = (thrown: {
  readonly code?: unknown;
  readonly errmsg?: unknown;
}): string | undefined =>
  thrown.code === DUPLICATE_KEY ? (/index: (\S+)/.exec(String(thrown.errmsg))?.[1] ?? '') : undefined;

/**
 * Whether each of so many updates of a bulk write is known to have taken place or to have failed. The driver
 * throws this error also when no answer came at all: what has no error of its own has not succeeded therefore.
 */
export const isComplete = (error: MongoBulkWriteError, operations: number): boolean => {
  const { matchedCount, upsertedCount, result } = error;
  const answered = matchedCount + upsertedCount + writeErrorsOf(error).length;
  return answered === operations && result.getWriteConcernError() === undefined;
};

/** The errors of single operations of a bulk write. */
export const writeErrorsOf = (error: MongoBulkWriteError): readonly WriteError[] =>
  error.result.getWriteErrors();

export const isDuplicate = (thrown: unknown): boolean =>
  thrown instanceof MongoServerError && thrown.code === DUPLICATE_KEY;

const fromCode = (code: number, message: string, cause: unknown): MillraceError | undefined => {
  if (tooLargeCodes.has(code)) return tooLarge(cause);
  if (fullCodes.has(code)) {
    return new Exhausted(message, { cause, hint: 'Free disk space of the database; nothing was changed.' });
  }
  if (deniedCodes.has(code)) {
    return new FailedPrecondition(message, {
      cause,
      hint: 'Check the user, its password and its role readWrite on the database of the service.',
    });
  }
  return undefined;
};

/** The error of a document that MongoDB cannot hold. */
export const tooLarge = (cause?: unknown): Exhausted =>
  new Exhausted('store: the document with its unsent messages is more than 16 MiB', {
    cause,
    hint: 'Messages wait in their document until they are sent: see whether the broker answers.',
  });

/** The taxonomy's error for one of the driver or server; errors of the taxonomy pass unchanged. */
export const fromMongo = (thrown: unknown): MillraceError => {
  if (thrown instanceof MillraceError) return thrown;
  const message = `store: ${messageOf(thrown)}`;
  if (isTransient(thrown)) {
    return new Unavailable(message, {
      cause: thrown,
      hint: 'MongoDB does not answer, or elects a primary: try again, reading first.',
    });
  }
  // The driver notices before it sends, in one of two ways.
  if (thrown instanceof RangeError) return tooLarge(thrown);
  if (thrown instanceof MongoInvalidArgumentError && /larger than the maximum/.test(thrown.message)) {
    return tooLarge(thrown);
  }
  if (thrown instanceof MongoInvalidArgumentError) return new Invalid(message, { cause: thrown });
  const code = thrown instanceof MongoError ? Number(thrown.code) : Number.NaN;
  return fromCode(code, message, thrown) ?? new Internal(message, { cause: thrown });
};
