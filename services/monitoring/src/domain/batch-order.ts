import { isApplied, isNext, recordBatch, type StreamState } from './stream-state.ts';

/** A batch that waits to be applied. */
export interface WaitingBatch {
  readonly source: string;
  readonly sequence: number;
  readonly droppedBefore: number;
  /** Milliseconds since the epoch. */
  readonly receivedAt: number;
}

/** How long a batch waits for a missing one before it, ms. */
export interface HoldTimes {
  /** Of a source that is known: as long as the bus may take to deliver again what a dead process held. */
  readonly known: number;
  /** Of a source whose beginning was perhaps never to be had: it began before its endpoint was monitored. */
  readonly unknown: number;
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
 * which window a record falls into. A batch that waited long enough goes on without the missing one, which,
 * should it still come, is applied then.
 */
export const orderBatches = <B extends WaitingBatch>(
  state: StreamState,
  waiting: readonly B[],
  now: number,
  holds: HoldTimes,
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
        now - batch.receivedAt >= holdMs(state, batch.source, holds)
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

export const holdMs = (state: StreamState, source: string, holds: HoldTimes): number =>
  Object.hasOwn(state.sources, source) ? holds.known : holds.unknown;
