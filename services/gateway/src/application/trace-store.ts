import type { Collection, DocumentStore } from '@millrace/store';
import { decodeSpanBatch, type SpanRecord } from '@millrace/telemetry';

/** Spans that one message brought, of any number of traces. */
interface SpanBatch {
  readonly traceIds: Readonly<Record<string, number>>;
  /** Milliseconds since the epoch of the newest span. */
  readonly receivedAt: number;
  /** As they came, in Base64: most are never looked at. Batches of earlier code hold the spans themselves. */
  readonly spans: string | readonly SpanRecord[];
}

/** Batches are found by their traces, whose values are numbers of spans, and pruned by their time. */
export const spanBatchIndexes = [
  { map: 'traceIds', values: 'number' },
  { path: 'receivedAt', type: 'number' },
] as const;

/** How long a trace can be shown. Milliseconds. */
const retentionMs = 7 * 24 * 3_600_000;
const pruneEveryBatches = 500;

const spansOf = ({ spans }: SpanBatch): readonly SpanRecord[] =>
  typeof spans === 'string' ? decodeSpanBatch(Buffer.from(spans, 'base64')) : spans;

/** Recent traces, so that they can be shown where no collector runs. A repeated batch changes nothing. */
export class TraceStore {
  readonly #batches: Collection<SpanBatch>;
  #added = 0;

  constructor(store: DocumentStore) {
    this.#batches = store.collection({
      name: 'span_batches',
      indexes: spanBatchIndexes,
    });
  }

  /**
   * @param id the same for the same batch
   * @param batch made by `encodeSpanBatch`; throws on others
   */
  async add(id: string, batch: Uint8Array, now: number): Promise<void> {
    const traceIds: Record<string, number> = {};
    for (const { traceId } of decodeSpanBatch(batch)) traceIds[traceId] = (traceIds[traceId] ?? 0) + 1;
    const spans = Buffer.from(batch).toString('base64');
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
      for (const span of spansOf(document)) if (span.traceId === traceId) found.set(span.spanId, span);
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
