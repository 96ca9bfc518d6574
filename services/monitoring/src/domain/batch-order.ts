import { isApplied, isNext, recordBatch, type StreamState } from './stream-state.ts';

/** A batch that waits to be applied. */
export interface WaitingBatch {
  readonly source: string;
  readonly sequence: number;
  readonly droppedBefore: number;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

export interface BatchOrder<B> {
  /** To apply now, in this order. */
  readonly ready: readonly B[];
  /** Applied before, or twice in the queue. */
  readonly duplicates: readonly B[];
  /** Missing one before it. */
  readonly held: readonly B[];
}

/**
 * Puts each source's batches in order of sequence, so that redelivery and reordering on the way do not decide
 * which window a record falls into. A batch that waited `holdMs` for a missing one goes on without it; the
 * missing one, should it still come, is applied then.
 */
export const orderBatches = <B extends WaitingBatch>(
  state: StreamState,
  waiting: readonly B[],
  now: number,
  holdMs: number,
): BatchOrder<B> => {
  const ready: B[] = [];
  const duplicates: B[] = [];
  let simulated = state;
  let rest = [...waiting].sort((a, b) => (a.source === b.source ? a.sequence - b.sequence : 0));
  for (let progress = true; progress; ) {
    const held: B[] = [];
    for (const batch of rest) {
      if (isApplied(simulated, batch.source, batch.sequence)) duplicates.push(batch);
      else if (
        isNext(simulated, batch.source, batch.sequence) ||
        isLate(simulated, batch) ||
        now - batch.receivedAt >= holdMs
      ) {
        ready.push(batch);
        simulated = recordBatch(simulated, batch);
      } else held.push(batch);
    }
    progress = held.length > 0 && held.length < rest.length;
    rest = held;
  }
  return { ready, duplicates, held: rest };
};

/** Whether later ones of its source went on without it. */
const isLate = (state: StreamState, { source, sequence }: WaitingBatch): boolean =>
  (state.sources[source]?.applied ?? []).some(([first]) => first > sequence);
