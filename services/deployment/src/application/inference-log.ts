import type { Bus } from '@millrace/bus';
import { InferenceBatch, type InferenceRecord } from '@millrace/contracts/deployment';
import { crashPoint } from '@millrace/crash-points';
import { isRecorded, type Logger } from '@millrace/telemetry';
import { context, type SpanContext, trace } from '@opentelemetry/api';

export interface InferenceLogLimits {
  /** Records of one batch. */
  readonly batchRecords: number;
  /** Milliseconds that a record waits at most. */
  readonly batchAgeMs: number;
  /** Bytes of one batch; a record that is larger by itself is dropped and counted. */
  readonly batchBytes: number;
  /** Records held while the broker does not take them; more are dropped and counted. */
  readonly maxBuffered: number;
}

export const defaultInferenceLogLimits: InferenceLogLimits = {
  batchRecords: 500,
  batchAgeMs: 200,
  // Well below what the broker takes at most.
  batchBytes: 1024 * 1024,
  maxBuffered: 20_000,
};

interface Buffer {
  records: InferenceRecord[];
  /** When the oldest of them came, by `performance.now()`. */
  since: number;
  /** Spans of the requests that the records come from; the recorded ones, or one that is not. */
  causes: SpanContext[];
  dropped: number;
  /** Number of the endpoint's latest batch: consumers wait for gaps, so each endpoint counts for itself. */
  sequence: number;
}

const retryMs = 500;

/** Requests that a batch links to; beyond them a trace backend shows nothing more. */
const maxCauses = 32;

/** Keeps the request that is under way as a cause of the records it brings. */
const keepCause = (buffer: Buffer): void => {
  const cause = trace.getSpanContext(context.active());
  if (cause === undefined) return;
  const [first] = buffer.causes;
  if (first === undefined || (isRecorded(cause) && !isRecorded(first))) buffer.causes = [cause];
  else if (isRecorded(cause) && buffer.causes.length < maxCauses) buffer.causes.push(cause);
};

/**
 * Sends what was predicted to the stream `INFERENCE`, in batches, without ever making a prediction wait. Bounded:
 * when the broker is away for long, the newest records are dropped and the next batch says how many. A crash
 * loses what waited, `batchAgeMs` at most.
 */
export class InferenceLog {
  readonly #bus: Bus;
  readonly #log: Logger;
  readonly #limits: InferenceLogLimits;
  readonly #source: string;
  readonly #buffers = new Map<string, Buffer>();
  #buffered = 0;
  #timer: NodeJS.Timeout | undefined;
  #sending: Promise<void> | undefined;
  #closing = false;

  /** @param source this serving process; new at each start, so that sequences never repeat */
  constructor(bus: Bus, log: Logger, source: string, limits: InferenceLogLimits = defaultInferenceLogLimits) {
    this.#bus = bus;
    this.#log = log;
    this.#source = source;
    this.#limits = limits;
  }

  add(endpoint: string, records: readonly InferenceRecord[]): void {
    const buffer = this.#bufferOf(endpoint);
    const room = Math.max(0, this.#limits.maxBuffered - this.#buffered);
    const taken = records.length <= room ? records : records.slice(0, room);
    if (buffer.records.length === 0) buffer.since = performance.now();
    buffer.records.push(...taken);
    keepCause(buffer);
    buffer.dropped += records.length - taken.length;
    this.#buffered += taken.length;
    if (buffer.records.length >= this.#limits.batchRecords) this.#send();
    else this.#sendAfter(this.#limits.batchAgeMs);
  }

  #bufferOf(endpoint: string): Buffer {
    let buffer = this.#buffers.get(endpoint);
    if (buffer === undefined) {
      buffer = { records: [], since: 0, causes: [], dropped: 0, sequence: 0 };
      this.#buffers.set(endpoint, buffer);
    }
    return buffer;
  }

  /** Sends what waits and resolves when the broker has it; gives up at the first failure. */
  async close(): Promise<void> {
    this.#closing = true;
    clearTimeout(this.#timer);
    await this.#sending;
    await this.#drain();
    if (this.#buffered > 0) {
      this.#log.warn({ records: this.#buffered }, 'inference records are lost: the broker is away');
    }
  }

  #send(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#sending ??= this.#drain().finally(() => {
      this.#sending = undefined;
      this.#sendWhenDue();
    });
  }

  #sendAfter(ms: number): void {
    this.#timer ??= setTimeout(() => this.#send(), ms);
  }

  /** What came while others were sent waits for its own time, or for enough to make a batch. */
  #sendWhenDue(): void {
    const waiting = [...this.#buffers.values()].filter(({ records }) => records.length > 0);
    if (waiting.length === 0 || this.#closing) return;
    const oldest = Math.min(...waiting.map(({ since }) => since));
    this.#sendAfter(Math.max(0, oldest + this.#limits.batchAgeMs - performance.now()));
  }

  #isDue({ records, since }: Buffer): boolean {
    if (records.length === 0) return false;
    const { batchRecords, batchAgeMs } = this.#limits;
    return this.#closing || records.length >= batchRecords || performance.now() - since >= batchAgeMs;
  }

  async #drain(): Promise<void> {
    for (;;) {
      const next = [...this.#buffers].find(([, buffer]) => this.#isDue(buffer));
      if (next === undefined) return;
      const [endpoint, buffer] = next;
      // To the end of the line, so that a busy endpoint does not hold up the others.
      this.#buffers.delete(endpoint);
      this.#buffers.set(endpoint, buffer);
      const { batch, bytes } = this.#nextBatch(endpoint, buffer);
      const causes = buffer.causes;
      buffer.causes = [];
      if (bytes.length > this.#limits.batchBytes) {
        this.#log.warn({ endpoint, bytes: bytes.length }, 'an inference record is too large to be kept');
        buffer.dropped += 1;
      } else {
        buffer.dropped -= batch.droppedBefore;
        buffer.sequence += 1;
        if (!(await this.#publish(batch, bytes, causes))) return;
      }
      this.#buffered -= batch.records.length;
    }
  }

  /** Takes as many records as fit one batch; one at least. */
  #nextBatch(endpoint: string, buffer: Buffer): { batch: InferenceBatch; bytes: Uint8Array } {
    let count = Math.min(buffer.records.length, this.#limits.batchRecords);
    for (;;) {
      const batch: InferenceBatch = {
        endpoint,
        source: this.#source,
        sequence: buffer.sequence + 1,
        records: buffer.records.slice(0, count),
        droppedBefore: buffer.dropped,
      };
      const bytes = InferenceBatch.encode(batch).finish();
      if (count === 1 || bytes.length <= this.#limits.batchBytes) {
        buffer.records.splice(0, count);
        return { batch, bytes };
      }
      count = Math.ceil(count / 2);
    }
  }

  /** Keeps trying with the same message id, so that a batch whose ack was lost is not stored twice. */
  async #publish(batch: InferenceBatch, bytes: Uint8Array, causes: readonly SpanContext[]): Promise<boolean> {
    crashPoint('mid-inference-batch');
    const id = `${batch.source}/${batch.endpoint}/${batch.sequence}`;
    for (;;) {
      try {
        await this.#bus.publishInference(`millrace.inference.${subjectToken(batch.endpoint)}`, bytes, {
          id,
          batch: { size: batch.records.length, causes },
        });
        return true;
      } catch (thrown) {
        this.#log.warn(
          { err: thrown, endpoint: batch.endpoint },
          'the broker did not take an inference batch',
        );
        if (this.#closing) return false;
        await new Promise((resolve) => setTimeout(resolve, retryMs));
      }
    }
  }
}

/** Dots separate the tokens of a subject. */
const subjectToken = (endpoint: string): string => endpoint.replaceAll('.', '_');
