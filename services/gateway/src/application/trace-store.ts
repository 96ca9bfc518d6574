import type { Collection, DocumentStore } from '@millrace/store';
import type { SpanRecord } from '@millrace/telemetry';

/** Spans that one message brought, of any number of traces. */
interface SpanBatch {
  readonly traceIds: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch of the newest span. */
  readonly receivedAt: number;
  readonly spans: readonly SpanRecord[];
}

/** How long a trace can be shown. Milliseconds. */
const retentionMs = 7 * 24 * 3_600_000;
const pruneEveryBatches = 500;

/** Recent traces, so that they can be shown where no collector runs. A repeated batch changes nothing. */
export class TraceStore {
  readonly #batches: Collection<SpanBatch>;
  #added = 0;

  constructor(store: DocumentStore) {
    this.#batches = store.collection({
      name: 'span_batches',
      indexes: [
        { map: 'traceIds', values: 'number' },
        { path: 'receivedAt', type: 'number' },
      ],
    });
  }

  /** @param id the same for the same batch */
  async add(id: string, spans: readonly SpanRecord[], now: number): Promise<void> {
    const traceIds: Record<string, number> = {};
    for (const { traceId } of spans) traceIds[traceId] = (traceIds[traceId] ?? 0) + 1;
    await this.#batches.update(
      id,
      (current) => (current === undefined ? { document: { traceIds, receivedAt: now, spans } } : undefined),
      // What is for looking at is not worth a wait for the disk.
      { durability: 'delayed' },
    );
    this.#added += 1;
    if (this.#added % pruneEveryBatches === 0) await this.prune(now - retentionMs);
  }

  /** Spans of a trace by start; empty for an unknown one. */
  async get(traceId: string): Promise<readonly SpanRecord[]> {
    const found = new Map<string, SpanRecord>();
    const filter = { field: ['traceIds', traceId] as const, op: 'exists' as const, value: true };
    for await (const { document } of this.#batches.scan(filter)) {
      for (const span of document.spans) if (span.traceId === traceId) found.set(span.spanId, span);
    }
    return [...found.values()].sort((a, b) => a.start - b.start);
  }

  /** Forgets what came before `time`, milliseconds since the epoch. */
  async prune(time: number): Promise<void> {
    for await (const { key } of this.#batches.scan({ field: 'receivedAt', op: 'lt', value: time })) {
      await this.#batches.update(key, () => ({ document: null }));
    }
  }
}
