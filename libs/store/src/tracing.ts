import { asMillraceError } from '@millrace/errors';
import { type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';

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
  span.setAttribute('error.type', code);
  span.setStatus({ code: SpanStatusCode.ERROR, message });
};

/**
 * Runs `call` in a client span named as the semantic conventions for database calls say. Without a recording
 * parent there is no span: a store call alone is no story, and the hot path stays cheap.
 */
export const traced = async <R>(traced: Traced, call: () => Promise<R>): Promise<R> => {
  if (trace.getActiveSpan()?.isRecording() !== true) return call();
  const attributes = {
    'db.system.name': traced.system,
    'db.namespace': traced.namespace,
    'db.operation.name': traced.operation,
    'db.collection.name': traced.collection,
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
