import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace';
import { count } from './metrics/instruments.ts';

/** What is told of an export: the first failure and the first success after it, nothing in between. */
export type ExportNotice =
  | { readonly state: 'failing'; readonly reason: string }
  /** `lost` spans could not be delivered meanwhile. */
  | { readonly state: 'recovered'; readonly lost: number };

/** Delivers by another exporter, and tells when deliveries begin to fail and when they succeed again. */
export class WatchedExporter implements SpanExporter {
  readonly #inner: SpanExporter;
  readonly #notify: (notice: ExportNotice) => void;
  #lost = 0;
  #failing = false;

  constructor(inner: SpanExporter, notify: (notice: ExportNotice) => void) {
    this.#inner = inner;
    this.#notify = notify;
  }

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.#inner.export(spans, (result) => {
      this.#watch(spans.length, result);
      done(result);
    });
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush?.() ?? Promise.resolve();
  }

  #watch(spans: number, { code, error }: ExportResult): void {
    if (code === ExportResultCode.SUCCESS) {
      count('millrace_trace_spans_exported_total', {}, spans);
      if (this.#failing) this.#notify({ state: 'recovered', lost: this.#lost });
      this.#failing = false;
      this.#lost = 0;
      return;
    }
    count('millrace_trace_spans_lost_total', {}, spans);
    this.#lost += spans;
    if (!this.#failing) this.#notify({ state: 'failing', reason: error?.message ?? 'no reason given' });
    this.#failing = true;
  }
}
