import type { Label } from '@millrace/contracts/monitoring';
import { Invalid } from '@millrace/errors';
import type { Filter, Stored } from '@millrace/store';
import { currentBinding, type MonitorDocument } from '../domain/monitor.ts';
import { findPending, type StreamState } from '../domain/stream-state.ts';
import { commitState } from './commit-state.ts';
import { keepEarlyLabels } from './early-labels.ts';
import { windowPrefix } from './part-keys.ts';
import type { Collections, Dependencies, PredictionsDocument } from './ports.ts';
import { reviseWindows } from './revise-windows.ts';

export type LabelValues = ReadonlyMap<string, number | string>;

export interface JoinedLabels {
  readonly joined: number;
  readonly unknown: number;
}

const maxLabels = 10_000;

const labelValue = ({ value }: Label, path: string, numeric: boolean): number | string => {
  if (value === undefined) throw Invalid.field(`${path}.value`, 'is required');
  if (!numeric) return value.value;
  const number = Number(value.value);
  if (value.value !== '' && Number.isFinite(number)) return number;
  throw Invalid.field(`${path}.value`, `"${value.value}" is not a number, as a regression predicts`);
};

/** Checks labels; of several for one prediction the last counts. Throws `Invalid` naming the label. */
export const readLabels = (labels: readonly Label[], monitor: MonitorDocument): LabelValues => {
  if (labels.length > maxLabels) {
    throw Invalid.field('labels', `${labels.length} labels are more than ${maxLabels}`, {
      hint: 'Send them in several calls.',
    });
  }
  const numeric = currentBinding(monitor).task.type === 'regression';
  return new Map(
    labels.map((label, i) => {
      const path = `labels[${i}]`;
      if (label.predictionId === '') throw Invalid.field(`${path}.prediction_id`, 'is required');
      return [label.predictionId, labelValue(label, path, numeric)];
    }),
  );
};

/** Prediction ids looked up at once. */
const lookupSize = 100;

/** The stored predictions that the labels belong to, counted ones only, and the labels of each. */
const findPredictions = async (
  { predictions }: Collections,
  state: StreamState,
  labels: LabelValues,
): Promise<ReadonlyMap<string, { stored: Stored<PredictionsDocument>; ids: string[] }>> => {
  const found = new Map<string, { stored: Stored<PredictionsDocument>; ids: string[] }>();
  const ids = [...labels.keys()];
  for (let start = 0; start < ids.length; start += lookupSize) {
    const wanted = ids.slice(start, start + lookupSize);
    const filter: Filter = {
      and: [
        { field: 'endpoint', op: 'eq', value: state.endpoint },
        { or: wanted.map((id) => ({ field: ['rows', id], op: 'exists', value: true }) as const) },
      ],
    };
    for await (const stored of predictions.scan(filter)) {
      if (!isCounted(state, stored)) continue;
      const known = found.get(stored.key)?.ids ?? [];
      const here = wanted.filter((id) => Object.hasOwn(stored.document.rows, id));
      found.set(stored.key, { stored, ids: [...known, ...here] });
    }
  }
  return found;
};

/** Predictions of a pending window may be left over from a crash. */
const isCounted = (state: StreamState, { key, document }: Stored<PredictionsDocument>): boolean => {
  const pending = findPending(state, document.number);
  const part = key.slice(windowPrefix(document.endpoint, document.number).length);
  return pending === undefined || pending.predictions.includes(part);
};

const addLabels = (document: PredictionsDocument, ids: readonly string[], labels: LabelValues) => {
  const known = new Map(Object.entries(document.labels));
  const fresh = ids.filter((id) => known.get(id) !== labels.get(id));
  if (fresh.length === 0) return undefined;
  const added = Object.fromEntries(fresh.map((id) => [id, labels.get(id) ?? '']));
  const joined = { ...document.labels, ...added };
  return { document: { ...document, labels: joined, labelled: Object.keys(joined).length } };
};

/**
 * Joins labels with predictions by id and measures the closed windows concerned again. The windows are marked
 * first, so that a crash cannot leave labels that no window counts. Repeating it changes nothing.
 */
export const submitLabels = async (
  deps: Dependencies,
  stored: Stored<StreamState>,
  monitor: MonitorDocument,
  labels: LabelValues,
): Promise<{ readonly stored: Stored<StreamState>; readonly result: JoinedLabels }> => {
  const { collections, now } = deps;
  const state = stored.document;
  const found = await findPredictions(collections, state, labels);
  const joinedIds = new Set([...found.values()].flatMap(({ ids }) => ids));
  const unknown = new Map([...labels].filter(([id]) => !joinedIds.has(id)));
  if (unknown.size > 0) await keepEarlyLabels(collections, state.endpoint, unknown, now());
  const changed = [...found.values()].filter(
    (entry) => addLabels(entry.stored.document, entry.ids, labels) !== undefined,
  );
  const closed = changed
    .map((entry) => entry.stored.document.number)
    .filter((number) => findPending(state, number) === undefined);
  const stale = [...new Set([...state.stale, ...closed])];
  let current = closed.length === 0 ? stored : await commitState(collections, stored, { ...state, stale });
  for (const entry of changed) {
    await collections.predictions.update(entry.stored.key, (latest) =>
      latest === undefined ? undefined : addLabels(latest.document, entry.ids, labels),
    );
  }
  current = await reviseWindows(deps, current, monitor);
  return { stored: current, result: { joined: joinedIds.size, unknown: unknown.size } };
};
