import { Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { ErrorDetail } from '@millrace/contracts/common';
import {
  asMillraceError,
  codeFromGrpcStatus,
  ErrorCode,
  errorFromJson,
  grpcStatusOf,
  MillraceError,
  type Violation,
} from '@millrace/errors';

const trailer = 'millrace-error-bin';

/** The gRPC form of any thrown value: a status, and the whole error in a trailer. */
export const toGrpcStatus = (thrown: unknown): Partial<StatusObject> => {
  const error = asMillraceError(thrown);
  const metadata = new Metadata();
  const message = clipped(error.message);
  const detail = ErrorDetail.fromPartial({
    code: error.code,
    message,
    hint: clipped(error.hint ?? ''),
    violations: fitting(error.violations),
    details: Object.fromEntries(
      Object.entries(error.details)
        .slice(0, maxDetails)
        .map(([name, value]) => [name, clipped(value, 200)]),
    ),
  });
  metadata.set(trailer, Buffer.from(ErrorDetail.encode(detail).finish()));
  return { code: grpcStatusOf(error.code), details: message, metadata };
};

// An HTTP/2 trailer carries 16 KiB with certainty; one that is too large would lose the whole error.
const maxTextLength = 1000;
const maxViolationsLength = 5000;
const maxDetails = 10;

const clipped = (text: string, length = maxTextLength): string =>
  text.length <= length ? text : `${text.slice(0, length)} …`;

/** The first violations, and how many were left out. */
const fitting = (violations: readonly Violation[]): Violation[] => {
  const kept: Violation[] = [];
  let length = 0;
  for (const { path, message } of violations) {
    const violation = { path: clipped(path, 300), message: clipped(message, 500) };
    length += violation.path.length + violation.message.length;
    if (length > maxViolationsLength) {
      return [...kept, { path: '', message: `and ${violations.length - kept.length} more` }];
    }
    kept.push(violation);
  }
  return kept;
};

/**
 * A call waits for its peer: a deadline without a connection means that the peer is away, not slow. A call that was
 * cancelled by no service, and not by its caller either, was cut off by a peer that ended.
 */
const transportCode = (reported: ErrorCode, connected: boolean): ErrorCode => {
  const away = (reported === ErrorCode.timedOut && !connected) || reported === ErrorCode.cancelled;
  return away ? ErrorCode.unavailable : reported;
};

/**
 * The error that a call failed with: the service's own where it sent one, else what the transport says.
 *
 * @param connected whether there was a connection to the peer when the call ended
 * @param tlsFailure why the last TLS connection to the peer failed, if it did
 */
export const fromGrpcError = (
  error: ServiceError,
  peer: string,
  connected: boolean,
  tlsFailure?: string,
): MillraceError => {
  const bytes = error.metadata?.get(trailer)[0];
  if (bytes instanceof Buffer) {
    const detail = ErrorDetail.decode(bytes);
    return errorFromJson({
      code: detail.code as ErrorCode,
      message: detail.message,
      violations: detail.violations,
      details: detail.details,
      ...(detail.hint === '' ? {} : { hint: detail.hint }),
    });
  }
  const reported = codeFromGrpcStatus(error.code);
  const code = transportCode(reported, connected);
  if (code === ErrorCode.unavailable && tlsFailure !== undefined) {
    return new MillraceError(code, `${peer}: no TLS connection: ${tlsFailure}`, {
      cause: error,
      hint: 'Check the certificates of both sides: `millrace certs show`.',
    });
  }
  const hint = code === ErrorCode.unavailable ? { hint: `Check that the ${peer} service is running.` } : {};
  return new MillraceError(code, `${peer}: ${error.details}`, { cause: error, ...hint });
};
