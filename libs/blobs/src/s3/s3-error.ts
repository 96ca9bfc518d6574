import { S3ServiceException } from '@aws-sdk/client-s3';
import {
  asMillraceError,
  Exhausted,
  FailedPrecondition,
  Internal,
  MillraceError,
  messageOf,
  Unavailable,
} from '@millrace/errors';

const networkCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ECONNABORTED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const networkNames = new Set(['TimeoutError', 'NetworkingError', 'AbortError']);
/** The bytes did not arrive as they were sent. */
const damagedOnTheWay = new Set([
  'BadDigest',
  'InvalidDigest',
  'XAmzContentChecksumMismatch',
  'IncompleteBody',
]);
const fullNames = new Set(['QuotaExceeded', 'InsufficientCapacity', 'XMinioStorageFull', 'EntityTooLarge']);
const passingNames = new Set([
  ...damagedOnTheWay,
  'SlowDown',
  'RequestTimeout',
  'Throttling',
  'OperationAborted',
]);

const statusOf = (thrown: unknown): number | undefined =>
  thrown instanceof S3ServiceException ? thrown.$metadata.httpStatusCode : undefined;
const nameOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.name : '');

/** There is no such object. */
export const isMissing = (thrown: unknown): boolean =>
  nameOf(thrown) === 'NoSuchKey' || nameOf(thrown) === 'NotFound';

export const isMissingUpload = (thrown: unknown): boolean => nameOf(thrown) === 'NoSuchUpload';

/** A condition of the request does not hold: the object exists, or is another. */
export const isUnmet = (thrown: unknown): boolean =>
  statusOf(thrown) === 412 || nameOf(thrown) === 'ConditionalRequestConflict';

/** The server does not know what was asked for. */
export const isUnsupported = (thrown: unknown): boolean =>
  statusOf(thrown) === 501 || nameOf(thrown) === 'NotImplemented';

/** Whether the same request may succeed later. */
export const isTransient = (thrown: unknown): boolean => {
  if (thrown instanceof MillraceError || !(thrown instanceof Error)) return false;
  const status = statusOf(thrown);
  if (status !== undefined)
    return status >= 500 ? status !== 501 && status !== 507 : status === 429 || passingNames.has(thrown.name);
  return networkNames.has(thrown.name) || networkCodes.has((thrown as { code?: string }).code ?? '');
};

/** The taxonomy's error for one of the client or server; errors of the taxonomy pass unchanged. */
export const fromS3 = (thrown: unknown): MillraceError => {
  if (thrown instanceof MillraceError) return thrown;
  const message = `blobs: ${nameOf(thrown)}: ${messageOf(thrown)}`;
  const options = { cause: thrown };
  if (isTransient(thrown)) {
    return new Unavailable(message, {
      ...options,
      hint: 'The object store does not answer as it should: try again.',
    });
  }
  const status = statusOf(thrown);
  if (status === 507 || fullNames.has(nameOf(thrown))) {
    return new Exhausted(message, { ...options, hint: 'Free space in the object store or raise its quota.' });
  }
  if (nameOf(thrown) === 'NoSuchBucket') {
    return new FailedPrecondition(message, {
      ...options,
      hint: 'Create the bucket, or correct MILLRACE_BLOBS_URL.',
    });
  }
  if (status === 401 || status === 403 || nameOf(thrown) === 'CredentialsProviderError') {
    return new FailedPrecondition(message, {
      ...options,
      hint: 'Check the credentials of the AWS chain and what they allow on the bucket; see docs/operations/storage.md.',
    });
  }
  return status === undefined ? asMillraceError(thrown) : new Internal(message, options);
};
