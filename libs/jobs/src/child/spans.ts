import type { SpanAttributes } from '../job.ts';
import type { ChildSpan } from '../protocol.ts';

const random32 = (): string =>
  Math.floor(Math.random() * 2 ** 32)
    .toString(16)
    .padStart(8, '0');

/** Sixteen hexadecimal digits. They need not be secret, and `node:crypto` takes a child long to load. */
const newSpanId = (): string => random32() + random32();

/** Makes spans below the job's own, without loading a tracing SDK into every child. */
export class SpanRecorder {
  readonly #traceId: string;
  readonly #send: (spans: readonly ChildSpan[]) => void;
  #parent: string;

  constructor(traceparent: string | undefined, send: (spans: readonly ChildSpan[]) => void) {
    // https://www.w3.org/TR/trace-context/#traceparent-header: version-traceid-parentid-flags
    const [, traceId = '', parentId = '', flags = ''] = (traceparent ?? '').split('-');
    const isRecorded = (Number.parseInt(flags, 16) & 1) === 1;
    this.#traceId = isRecorded ? traceId : '';
    this.#parent = parentId;
    this.#send = send;
  }

  async record<T>(name: string, work: () => Promise<T>, attributes: SpanAttributes = {}): Promise<T> {
    if (this.#traceId === '') return work();
    const parentSpanId = this.#parent;
    const span = {
      traceId: this.#traceId,
      spanId: newSpanId(),
      parentSpanId,
      name,
      attributes,
    };
    const start = performance.timeOrigin + performance.now();
    this.#parent = span.spanId;
    const finish = (error?: string) => {
      this.#parent = parentSpanId;
      const end = performance.timeOrigin + performance.now();
      this.#send([{ ...span, start, end, ...(error === undefined ? {} : { error }) }]);
    };
    try {
      const result = await work();
      finish();
      return result;
    } catch (thrown) {
      finish(thrown instanceof Error ? thrown.message : String(thrown));
      throw thrown;
    }
  }
}
