import { type Binding, bindingId } from './monitor.ts';
import { addSequence, hasSequence, nextSequence, type SequenceRanges } from './sequence-ranges.ts';

/** A window that takes records or waits to be measured. */
export interface PendingWindow {
  readonly number: number;
  /** What its sketches are made over. */
  readonly binding: Binding;
  readonly records: number;
  /** Time of its first record, ms since the epoch. */
  readonly startedAt: number;
  /** When this service opened it, ms since the epoch: closes it when no more records come. */
  readonly openedAt: number;
  /** Stored sketches that make it up; others of its prefix were left by a crash. */
  readonly parts: readonly string[];
  /** Stored predictions that belong to it, likewise. */
  readonly predictions: readonly string[];
}

interface Source {
  readonly applied: SequenceRanges;
  /** Rises with each batch of the endpoint; the lowest is forgotten first. */
  readonly lastUsed: number;
}

/**
 * How far an endpoint's inference records are applied: the one document that decides which records count. All
 * else is derived from it and can be made again. Key: the endpoint.
 */
export interface StreamState {
  readonly endpoint: string;
  readonly batches: number;
  readonly sources: Readonly<Record<string, Source>>;
  readonly open: PendingWindow | null;
  readonly sealed: readonly PendingWindow[];
  readonly nextNumber: number;
  /** Features that were sent so far, and the binding that they belong to. */
  readonly sent: { readonly binding: string; readonly features: readonly string[] };
  /** Closed windows whose labels changed and whose performance is to be measured again. */
  readonly stale: readonly number[];
  /** Windows whose predictions still wait for labels, oldest first. */
  readonly kept: readonly { readonly number: number; readonly records: number; readonly closedAt: number }[];
  /** Records that the endpoint dropped because its buffer was full. */
  readonly dropped: number;
}

export const newStreamState = (endpoint: string): StreamState => ({
  endpoint,
  batches: 0,
  sources: {},
  open: null,
  sealed: [],
  nextNumber: 1,
  sent: { binding: '', features: [] },
  stale: [],
  kept: [],
  dropped: 0,
});

/** Serving processes remembered per endpoint, for de-duplication. */
const maxSources = 256;

export const isApplied = (state: StreamState, source: string, sequence: number): boolean =>
  hasSequence(state.sources[source]?.applied ?? [], sequence);

/** Whether the batch directly follows what is applied of its source. */
export const isNext = (state: StreamState, source: string, sequence: number): boolean =>
  nextSequence(state.sources[source]?.applied ?? []) === sequence;

/** The state that remembers the batch as applied. */
export const recordBatch = (
  state: StreamState,
  batch: { readonly source: string; readonly sequence: number; readonly droppedBefore: number },
): StreamState => {
  const batches = state.batches + 1;
  const applied = addSequence(state.sources[batch.source]?.applied ?? [], batch.sequence);
  const sources = Object.entries({ ...state.sources, [batch.source]: { applied, lastUsed: batches } });
  const kept =
    sources.length <= maxSources
      ? sources
      : sources.sort(([, a], [, b]) => b.lastUsed - a.lastUsed).slice(0, maxSources);
  return {
    ...state,
    batches,
    sources: Object.fromEntries(kept),
    dropped: state.dropped + batch.droppedBefore,
  };
};

export interface CutSettings {
  readonly windowRecords: number;
  readonly windowMaxAgeMs: number;
  readonly binding: Binding;
}

export const sealOpen = (state: StreamState): StreamState =>
  state.open === null ? state : { ...state, open: null, sealed: [...state.sealed, state.open] };

/** Whether the open window must close before a record of this time may enter. */
const isOver = (open: PendingWindow, time: number, settings: CutSettings): boolean =>
  time - open.startedAt >= settings.windowMaxAgeMs || bindingId(open.binding) !== bindingId(settings.binding);

/** Whether the open window has waited too long for records, or the monitor now compares with something else. */
export const isOverdue = (state: StreamState, now: number, settings: CutSettings): boolean =>
  state.open !== null &&
  (now - state.open.openedAt >= settings.windowMaxAgeMs ||
    bindingId(state.open.binding) !== bindingId(settings.binding));

/**
 * Assigns the next record to a tumbling window by number of records and by the records' own times, so that the
 * same records in the same order always make the same windows.
 */
export const cutRecord = (
  state: StreamState,
  time: number,
  now: number,
  settings: CutSettings,
): { readonly state: StreamState; readonly window: number } => {
  const current = state.open !== null && isOver(state.open, time, settings) ? sealOpen(state) : state;
  const open: PendingWindow = current.open ?? {
    number: current.nextNumber,
    binding: settings.binding,
    records: 0,
    startedAt: time,
    openedAt: now,
    parts: [],
    predictions: [],
  };
  const grown: StreamState = {
    ...current,
    open: { ...open, records: open.records + 1 },
    nextNumber: Math.max(current.nextNumber, open.number + 1),
  };
  const full = open.records + 1 >= settings.windowRecords;
  return { state: full ? sealOpen(grown) : grown, window: open.number };
};

/** The pending window of that number, open or sealed. */
export const findPending = (state: StreamState, number: number): PendingWindow | undefined =>
  state.open?.number === number ? state.open : state.sealed.find((window) => window.number === number);

/** The state with a pending window changed. */
export const updatePending = (
  state: StreamState,
  number: number,
  change: (window: PendingWindow) => PendingWindow,
): StreamState => ({
  ...state,
  open: state.open?.number === number ? change(state.open) : state.open,
  sealed: state.sealed.map((window) => (window.number === number ? change(window) : window)),
});
