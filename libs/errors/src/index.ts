export { asMillraceError, type ErrorJson, errorFromJson, errorToJson, messageOf } from './convert.ts';
export {
  Cancelled,
  Conflict,
  Denied,
  ErrorCode,
  type ErrorOptions,
  Exhausted,
  FailedPrecondition,
  Internal,
  Invalid,
  MillraceError,
  NotFound,
  TimedOut,
  Unauthenticated,
  Unavailable,
  type Violation,
} from './millrace-error.ts';
export { codeFromGrpcStatus, exitCodeOf, grpcStatusOf, httpStatusOf, isRetryable } from './status.ts';
