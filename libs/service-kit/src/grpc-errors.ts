import { Metadata, type ServiceError, type StatusObject } from '@grpc/grpc-js';
import { ErrorDetail } from '@millrace/contracts/common';
import {
  asMillraceError,
  codeFromGrpcStatus,
  ErrorCode,
  errorFromJson,
  grpcStatusOf,
  MillraceError,
} from '@millrace/errors';

const trailer = 'millrace-error-bin';

/** The gRPC form of any thrown value: a status, and the whole error in a trailer. */
export const toGrpcStatus = (thrown: unknown): Partial<StatusObject> => {
  const error = asMillraceError(thrown);
  const metadata = new Metadata();
  const detail = ErrorDetail.fromPartial({
    code: error.code,
    message: error.message,
    hint: error.hint ?? '',
    violations: [...error.violations],
    details: { ...error.details },
  });
  metadata.set(trailer, Buffer.from(ErrorDetail.encode(detail).finish()));
  return { code: grpcStatusOf(error.code), details: error.message, metadata };
};

/** The error that a call failed with: the service's own where it sent one, else what the transport says. */
export const fromGrpcError = (error: ServiceError, peer: string): MillraceError => {
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
  const code = codeFromGrpcStatus(error.code);
  const hint = code === ErrorCode.unavailable ? { hint: `Check that the ${peer} service is running.` } : {};
  return new MillraceError(code, `${peer}: ${error.details}`, { cause: error, ...hint });
};
