import { ErrorCode, Exhausted, Internal, MillraceError, type Violation } from './millrace-error.ts';

/** Form in which an error travels in JSON (HTTP bodies, events, child-process messages). */
export interface ErrorJson {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint?: string;
  readonly violations?: readonly Violation[];
  readonly details?: Readonly<Record<string, string>>;
}

const outOfSpace = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE']);

/** The text of any thrown value. */
export const messageOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown);

/** Turns any thrown value into one of the taxonomy; platform errors are recognised by their code. */
export const asMillraceError = (thrown: unknown): MillraceError => {
  if (thrown instanceof MillraceError) return thrown;
  const systemCode = (thrown as { code?: unknown } | null)?.code;
  if (typeof systemCode === 'string' && outOfSpace.has(systemCode)) {
    return new Exhausted(messageOf(thrown), {
      cause: thrown,
      hint: 'Free disk space or raise the limit, then try again; nothing was changed.',
    });
  }
  return new Internal(messageOf(thrown), { cause: thrown });
};

export const errorToJson = (error: MillraceError): ErrorJson => ({
  code: error.code,
  message: error.message,
  ...(error.hint === undefined ? {} : { hint: error.hint }),
  ...(error.violations.length === 0 ? {} : { violations: error.violations }),
  ...(Object.keys(error.details).length === 0 ? {} : { details: error.details }),
});

const knownCodes = new Set<string>(Object.values(ErrorCode));

export const errorFromJson = (json: ErrorJson): MillraceError =>
  new MillraceError(knownCodes.has(json.code) ? json.code : ErrorCode.internal, json.message, {
    ...(json.hint === undefined ? {} : { hint: json.hint }),
    violations: json.violations ?? [],
    details: json.details ?? {},
  });
