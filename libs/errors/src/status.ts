import { ErrorCode } from './millrace-error.ts';

interface Wire {
  /** Status code of https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
  readonly grpc: number;
  readonly http: number;
  /** Exit code of the `millrace` command, documented in `docs/cli.md`. */
  readonly exit: number;
  readonly retryable: boolean;
}

const wire: Record<ErrorCode, Wire> = {
  [ErrorCode.invalid]: { grpc: 3, http: 400, exit: 2, retryable: false },
  [ErrorCode.notFound]: { grpc: 5, http: 404, exit: 3, retryable: false },
  [ErrorCode.conflict]: { grpc: 10, http: 409, exit: 4, retryable: false },
  [ErrorCode.failedPrecondition]: { grpc: 9, http: 412, exit: 5, retryable: false },
  [ErrorCode.denied]: { grpc: 7, http: 403, exit: 6, retryable: false },
  [ErrorCode.unauthenticated]: { grpc: 16, http: 401, exit: 6, retryable: false },
  [ErrorCode.exhausted]: { grpc: 8, http: 507, exit: 7, retryable: true },
  [ErrorCode.unavailable]: { grpc: 14, http: 503, exit: 8, retryable: true },
  [ErrorCode.timedOut]: { grpc: 4, http: 504, exit: 9, retryable: true },
  [ErrorCode.cancelled]: { grpc: 1, http: 499, exit: 130, retryable: false },
  [ErrorCode.internal]: { grpc: 13, http: 500, exit: 1, retryable: false },
};

const byGrpcStatus = new Map<number, ErrorCode>(
  Object.entries(wire).map(([code, { grpc }]) => [grpc, code as ErrorCode]),
);
// Statuses that gRPC itself produces and that we never choose: ALREADY_EXISTS and OUT_OF_RANGE.
byGrpcStatus.set(6, ErrorCode.conflict).set(11, ErrorCode.invalid);

export const grpcStatusOf = (code: ErrorCode): number => wire[code].grpc;
export const httpStatusOf = (code: ErrorCode): number => wire[code].http;
export const exitCodeOf = (code: ErrorCode): number => wire[code].exit;

/** Whether the same call may succeed later without anybody changing its input. */
export const isRetryable = (code: ErrorCode): boolean => wire[code].retryable;

export const codeFromGrpcStatus = (status: number): ErrorCode =>
  byGrpcStatus.get(status) ?? ErrorCode.internal;
