import { asMillraceError } from '@millrace/errors';
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  ATTR_DB_COLLECTION_NAME,
  ATTR_DB_NAMESPACE,
  ATTR_DB_OPERATION_NAME,
  ATTR_DB_SYSTEM_NAME,
  ATTR_ERROR_TYPE,
} from '@opentelemetry/semantic-conventions';

const tracer = trace.getTracer('@millrace/store');

export interface Traced {
  /** `db.system.name`: `sqlite`, `mongodb`. */
  readonly system: string;
  /** `db.namespace`: the service that owns the store. */
  readonly namespace: string;
  readonly operation: string;
  /** `db.collection.name`. */
  readonly collection: string;
}

const fail = (span: Span, thrown: unknown): void => {
  const { code, message } = asMillraceError(thrown);
  span.setAttribute(ATTR_ERROR_TYPE, code);
  span.setStatus({ code: SpanStatusCode.ERROR, message: message.slice(0, 500) });
};

/**
 * Runs `call` in a client span named as the semantic conventions for database calls say. Without a recording
 * parent there is no span: a store call alone is no story, and the hot path stays cheap.
 */
export const traced = async <R>(traced: Traced, call: () => Promise<R>): Promise<R> => {
  if (trace.getActiveSpan()?.isRecording() !== true) return call();
  const attributes = {
    [ATTR_DB_SYSTEM_NAME]: traced.system,
    [ATTR_DB_NAMESPACE]: traced.namespace,
    [ATTR_DB_OPERATION_NAME]: traced.operation,
    [ATTR_DB_COLLECTION_NAME]: traced.collection,
  };
  const name = `${traced.operation} ${traced.collection}`;
  return tracer.startActiveSpan(name, { kind: SpanKind.CLIENT, attributes }, async (span) => {
    try {
      return await call();
    } catch (thrown) {
      fail(span, thrown);
      throw thrown;
    } finally {
      span.end();
    }
  });
};
