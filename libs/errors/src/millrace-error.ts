/** The whole taxonomy. Wire forms (gRPC, HTTP, exit code) are derived from it in `status.ts` and nowhere else. */
export const ErrorCode = {
  /** The input is wrong and will stay wrong: fix it and call again. */
  invalid: 'invalid',
  /** The thing named does not exist. */
  notFound: 'not_found',
  /** Somebody else changed it first, or it exists already: read again, then decide. */
  conflict: 'conflict',
  /** The input is fine but the system's state forbids it now (a gate failed, an approval is missing). */
  failedPrecondition: 'failed_precondition',
  /** The caller is known and may not do this. */
  denied: 'denied',
  /** The caller is not known. */
  unauthenticated: 'unauthenticated',
  /** A limit is reached: disk, memory, size, rate. */
  exhausted: 'exhausted',
  /** A dependency does not answer: the same call may succeed later. */
  unavailable: 'unavailable',
  /** The deadline passed; whether the effect happened is unknown. */
  timedOut: 'timed_out',
  /** The caller or an operator gave up on it. */
  cancelled: 'cancelled',
  /** A defect of ours. */
  internal: 'internal',
} as const;
export type ErrorCode = (typeof ErrorCode)[keyof typeof ErrorCode];

/** One thing wrong with an input; `path` names the field (`steps.split.split_ratios[1]`, `recipe.yaml:12:3`). */
export interface Violation {
  readonly path: string;
  readonly message: string;
}

export interface ErrorOptions {
  readonly cause?: unknown;
  /** What the reader can do about it, one sentence. */
  readonly hint?: string;
  readonly violations?: readonly Violation[];
  /** Machine-readable facts that belong to the error; never secrets or payloads. */
  readonly details?: Readonly<Record<string, string>>;
}

/** Base of every error that crosses a boundary in Millrace. Recognise it by `code`, not by its text. */
export class MillraceError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly violations: readonly Violation[];
  readonly details: Readonly<Record<string, string>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = options.hint;
    this.violations = options.violations ?? [];
    this.details = options.details ?? {};
  }
}

export class Invalid extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.invalid, message, options);
  }

  /** An error about exactly one field. */
  static field(path: string, message: string, options: ErrorOptions = {}): Invalid {
    return new Invalid(`${path}: ${message}`, { ...options, violations: [{ path, message }] });
  }
}

export class NotFound extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.notFound, message, options);
  }
}

export class Conflict extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.conflict, message, options);
  }
}

export class FailedPrecondition extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.failedPrecondition, message, options);
  }
}

export class Denied extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.denied, message, options);
  }
}

export class Unauthenticated extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.unauthenticated, message, options);
  }
}

export class Exhausted extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.exhausted, message, options);
  }
}

export class Unavailable extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.unavailable, message, options);
  }
}

export class TimedOut extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.timedOut, message, options);
  }
}

export class Cancelled extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.cancelled, message, options);
  }
}

export class Internal extends MillraceError {
  constructor(message: string, options?: ErrorOptions) {
    super(ErrorCode.internal, message, options);
  }
}
