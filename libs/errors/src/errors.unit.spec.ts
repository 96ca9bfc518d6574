import { describe, expect, it } from 'vitest';
import {
  asMillraceError,
  codeFromGrpcStatus,
  ErrorCode,
  Exhausted,
  errorFromJson,
  errorToJson,
  exitCodeOf,
  grpcStatusOf,
  httpStatusOf,
  Invalid,
  isRetryable,
  MillraceError,
  messageOf,
  NotFound,
} from './index.ts';

const codes = Object.values(ErrorCode);

describe('wire forms', () => {
  it('give every code a gRPC status of its own, which leads back to it', () => {
    const statuses = codes.map(grpcStatusOf);
    expect(new Set(statuses).size).toBe(codes.length);
    expect(statuses.map(codeFromGrpcStatus)).toEqual(codes);
  });

  it('give every code an HTTP status of an error and an exit code that is not success', () => {
    for (const code of codes) {
      expect(httpStatusOf(code)).toBeGreaterThanOrEqual(400);
      expect(exitCodeOf(code)).toBeGreaterThan(0);
      expect(exitCodeOf(code)).toBeLessThan(256);
    }
  });

  it('take the statuses that only gRPC itself sends for what they mean', () => {
    expect(codeFromGrpcStatus(6)).toBe(ErrorCode.conflict);
    expect(codeFromGrpcStatus(11)).toBe(ErrorCode.invalid);
    expect(codeFromGrpcStatus(12)).toBe(ErrorCode.internal);
  });

  it('call only those retryable that may pass without a changed input', () => {
    expect(codes.filter(isRetryable)).toEqual([
      ErrorCode.exhausted,
      ErrorCode.unavailable,
      ErrorCode.timedOut,
    ]);
  });
});

describe('an error', () => {
  it('about one field carries its path once in the text and once as a violation', () => {
    const error = Invalid.field('steps.split.ratios[1]', 'must be > 0', { hint: 'Use positive shares.' });
    expect(error.message).toBe('steps.split.ratios[1]: must be > 0');
    expect(error.violations).toEqual([{ path: 'steps.split.ratios[1]', message: 'must be > 0' }]);
    expect(error.hint).toBe('Use positive shares.');
  });

  it('survives JSON whole', () => {
    const error = new NotFound('no model flights', {
      hint: 'Look at `millrace models`.',
      violations: [{ path: 'model', message: 'is unknown' }],
      details: { model: 'flights' },
    });
    const back = errorFromJson(JSON.parse(JSON.stringify(errorToJson(error))));
    expect(errorToJson(back)).toEqual(errorToJson(error));
  });

  it('of a code that this version does not know is internal', () => {
    expect(errorFromJson({ code: 'brand_new' as ErrorCode, message: 'hm' }).code).toBe(ErrorCode.internal);
  });

  it('leaves out of its JSON what it does not have', () => {
    expect(errorToJson(new MillraceError(ErrorCode.internal, 'broken'))).toEqual({
      code: 'internal',
      message: 'broken',
    });
  });
});

describe('any thrown value', () => {
  it('that is one of ours stays as it is', () => {
    const error = new NotFound('gone');
    expect(asMillraceError(error)).toBe(error);
  });

  it.each(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE'])(
    'with the system code %s is an exhausted limit',
    (code) => {
      expect(asMillraceError(Object.assign(new Error('write failed'), { code }))).toBeInstanceOf(Exhausted);
    },
  );

  it('is otherwise internal, with the value as its cause', () => {
    for (const thrown of [new Error('oops'), 'oops', null, undefined, 7]) {
      const error = asMillraceError(thrown);
      expect(error.code).toBe(ErrorCode.internal);
      expect(error.cause).toBe(thrown === undefined ? undefined : thrown);
      expect(error.message).toBe(messageOf(thrown));
    }
  });
});
