import type { InferenceRecord } from '@millrace/contracts/deployment';
import type { Stored } from '@millrace/store';
import type { MonitorDocument } from '../domain/monitor.ts';
import { currentBinding } from '../domain/monitor.ts';
import {
  type CutSettings,
  cutRecord,
  findPending,
  isApplied,
  recordBatch,
  type StreamState,
  updatePending,
} from '../domain/stream-state.ts';
import { scalarValue, WindowSketch } from '../domain/window-sketch.ts';
import { commitState } from './commit-state.ts';
import { takeEarlyLabels } from './early-labels.ts';
import { mergedSketch, type SketchCache } from './merged-sketch.ts';
import { partKey } from './part-keys.ts';
import type { Dependencies, PredictionOrigin, PredictionsDocument } from './ports.ts';
import type { ReceivedBatch } from './received-batch.ts';

/** What one commit adds to a pending window. */
interface Piece {
  readonly sketch: WindowSketch;
  /** Ids of the predictions, in their order. */
  readonly ids: Set<string>;
  readonly predictions: (number | string | boolean)[];
  readonly probabilities: Record<string, number>[];
  readonly origins: PredictionOrigin[];
}

export const cutSettings = (monitor: MonitorDocument): CutSettings => ({
  windowRecords: monitor.windowRecords,
  windowMaxAgeMs: monitor.windowMaxAgeMs,
  binding: currentBinding(monitor),
});

/** Stored sketches of a window are merged into one beyond this number. */
const maxParts = 32;

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it refuses
const usableId = /^[^\u0000-\u001f\u007f]{1,256}$/;

const addPrediction = (piece: Piece, record: InferenceRecord): void => {
  const prediction = scalarValue(record.prediction);
  const { predictionId } = record;
  if (record.error !== '' || prediction === null || !usableId.test(predictionId)) return;
  if (typeof prediction === 'number' && !Number.isFinite(prediction)) return;
  if (piece.ids.has(predictionId)) return;
  const finite = Object.values(record.probabilities).every(Number.isFinite);
  piece.ids.add(predictionId);
  piece.predictions.push(prediction);
  piece.probabilities.push(finite ? record.probabilities : {});
  piece.origins.push({ revision: record.revision, time: record.time ?? '', traceId: record.traceId });
};

/** Cuts the batches' records into windows; answers served by shadows are nobody's answers and do not count. */
const cutBatches = async (
  { loadBaseline, now }: Dependencies,
  before: StreamState,
  monitor: MonitorDocument,
  batches: readonly ReceivedBatch[],
): Promise<{ state: StreamState; pieces: ReadonlyMap<number, Piece> }> => {
  const settings = cutSettings(monitor);
  const baseline = await loadBaseline(settings.binding, monitor.drift, monitor.seed);
  const pieces = new Map<number, Piece>();
  let state = before;
  for (const batch of batches) {
    if (isApplied(state, batch.source, batch.sequence)) continue;
    state = recordBatch(state, batch);
    for (const [index, record] of batch.records().entries()) {
      if (record.shadow) continue;
      const time = Date.parse(record.time ?? '');
      const cut = cutRecord(state, time, now(), settings);
      state = cut.state;
      const piece: Piece = pieces.get(cut.window) ?? {
        sketch: new WindowSketch(baseline),
        ids: new Set(),
        predictions: [],
        probabilities: [],
        origins: [],
      };
      pieces.set(cut.window, piece);
      piece.sketch.add(record, `${batch.source}/${batch.sequence}/${index}`, time);
      addPrediction(piece, record);
    }
  }
  return { state, pieces };
};

/** A piece as it was stored: alone, or merged with all that the window had. */
interface StoredPiece {
  readonly number: number;
  readonly part: string;
  readonly sketch: WindowSketch;
  readonly whole: boolean;
  /** Documents of predictions stored with it. */
  readonly predictions: readonly string[];
}

/** Values (id, prediction, origin, probabilities) in one document of predictions; keeps it far below the store's limit. */
const maxValues = 100_000;

/** Without a prototype any id is a key; filling it takes a quarter of the time that `Object.fromEntries` does. */
const rowsById = (ids: readonly string[]): Record<string, number> => {
  const rows: Record<string, number> = Object.create(null);
  ids.forEach((id, row) => {
    rows[id] = row;
  });
  return rows;
};

/** The predictions that wait for labels, in documents of bounded size. */
const splitPredictions = (piece: Piece, endpoint: string, number: number): PredictionsDocument[] => {
  const ids = [...piece.ids];
  const widest = Math.max(0, ...piece.probabilities.map((row) => Object.keys(row).length));
  const size = Math.max(1, Math.floor(maxValues / (widest + 5)));
  return Array.from({ length: Math.ceil(ids.length / size) }, (_, i) => {
    const [start, end] = [i * size, (i + 1) * size];
    return {
      endpoint,
      number,
      rows: rowsById(ids.slice(start, end)),
      predictions: piece.predictions.slice(start, end),
      probabilities: piece.probabilities.slice(start, end),
      origins: piece.origins.slice(start, end),
      labels: {},
    };
  });
};

const storePredictions = async (
  { collections, newId }: Dependencies,
  documents: readonly PredictionsDocument[],
): Promise<string[]> =>
  Promise.all(
    documents.map(async (document) => {
      const { endpoint, number, rows } = document;
      const part = newId('part');
      const labels = await takeEarlyLabels(collections, endpoint, Object.keys(rows));
      const labelled = Object.keys(labels).length;
      await collections.predictions.insert(partKey(endpoint, number, part), {
        ...document,
        labels,
        labelled,
      });
      return part;
    }),
  );

/** Stores a window's piece. Until the stream's state counts it, it is nothing. */
const storePiece = async (
  deps: Dependencies,
  state: StreamState,
  number: number,
  piece: Piece,
  monitor: MonitorDocument,
  cache: SketchCache,
): Promise<StoredPiece> => {
  const { collections, newId } = deps;
  const { endpoint } = state;
  const pending = findPending(state, number);
  if (pending === undefined) throw new Error(`window ${number} of ${endpoint} is not pending`);
  const part = newId('part');
  const key = partKey(endpoint, number, part);
  const whole = pending.parts.length === 0 || pending.parts.length >= maxParts;
  let { sketch } = piece;
  if (whole && pending.parts.length > 0) {
    sketch = await mergedSketch(deps, endpoint, pending, monitor, cache);
    sketch.merge(piece.sketch);
  }
  // Asked for together, they share a transaction.
  const [predictions] = await Promise.all([
    storePredictions(deps, splitPredictions(piece, endpoint, number)),
    collections.parts.insert(key, { sketch: sketch.toJSON() }),
  ]);
  return { number, part, sketch, whole, predictions };
};

const countPiece = (state: StreamState, { number, part, whole, predictions }: StoredPiece): StreamState =>
  updatePending(state, number, (window) => ({
    ...window,
    parts: whole ? [part] : [...window.parts, part],
    predictions: [...window.predictions, ...predictions],
  }));

const cachePiece = (
  cache: SketchCache,
  before: StreamState,
  after: StreamState,
  { number, sketch, whole }: StoredPiece,
): void => {
  const [old, now] = [findPending(before, number), findPending(after, number)];
  if (now === undefined) return;
  if (whole) {
    cache.keep(now, sketch);
    return;
  }
  const kept = old === undefined ? undefined : cache.find(old);
  if (kept === undefined) return;
  kept.merge(sketch);
  cache.keep(now, kept);
};

/**
 * Applies batches in the order given, each once, and makes it durable: the pieces first, then the one document
 * that counts them. A crash in between leaves pieces that nobody counts, and the batches come again.
 * @throws Conflict when another process applied batches meanwhile.
 */
export const applyBatches = async (
  deps: Dependencies,
  stored: Stored<StreamState>,
  monitor: MonitorDocument,
  batches: readonly ReceivedBatch[],
  cache: SketchCache,
): Promise<Stored<StreamState>> => {
  const { state, pieces } = await cutBatches(deps, stored.document, monitor, batches);
  const storedPieces = await Promise.all(
    [...pieces].map(([number, piece]) => storePiece(deps, state, number, piece, monitor, cache)),
  );
  const document = storedPieces.reduce(countPiece, state);
  const next = await commitState(deps.collections, stored, document);
  for (const piece of storedPieces) cachePiece(cache, stored.document, document, piece);
  return next;
};
