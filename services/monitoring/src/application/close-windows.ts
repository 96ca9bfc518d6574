import { monitoringEvents } from '@millrace/contracts/monitoring';
import { eventMessage } from '@millrace/service-kit';
import type { Collection, Stored } from '@millrace/store';
import { inSpan } from '@millrace/telemetry';
import { bindingId, type MonitorDocument } from '../domain/monitor.ts';
import { toMonitorMessage } from '../domain/monitor-message.ts';
import type { PendingWindow, StreamState } from '../domain/stream-state.ts';
import { learnPredictions, type WindowReport, windowForEvent, windowId } from '../domain/window-report.ts';
import type { WindowSketch } from '../domain/window-sketch.ts';
import { commitState } from './commit-state.ts';
import { evaluateAlerts } from './evaluate-alerts.ts';
import { measureLabels } from './measure-labels.ts';
import { mergedSketch, type SketchCache } from './merged-sketch.ts';
import { partKey, windowPrefix } from './part-keys.ts';
import type { Collections, Dependencies } from './ports.ts';
import { requestRetraining } from './request-retraining.ts';

const learnedKey = (endpoint: string, { binding }: PendingWindow): string =>
  `${endpoint}/${bindingId(binding)}`;

const deleteUnder = async <T extends object>(
  collection: Collection<T>,
  prefix: string,
  spared: (key: string) => boolean = () => false,
): Promise<void> => {
  const removed: { readonly key: string; readonly version: number }[] = [];
  for await (const { key, version } of collection.scan({ field: '$key', op: 'prefix', value: prefix })) {
    if (!spared(key)) removed.push({ key, version });
  }
  // Asked for together, they share their transactions.
  await Promise.all(
    removed.map(({ key, version }) => collection.commit({ key, expected: version, document: null })),
  );
};

/** How many documents lie under a prefix, without reading any of them. */
const countUnder = <T extends object>(collection: Collection<T>, prefix: string): Promise<number> =>
  collection.count({ field: '$key', op: 'prefix', value: prefix });

/** Removes predictions that a crash left uncounted, lest their labels count twice. */
const deleteUncounted = async (
  { predictions }: Collections,
  endpoint: string,
  window: PendingWindow,
): Promise<void> => {
  const prefix = windowPrefix(endpoint, window.number);
  if ((await countUnder(predictions, prefix)) === window.predictions.length) return;
  const counted = new Set(window.predictions);
  await deleteUnder(predictions, prefix, (key) => counted.has(key.slice(prefix.length)));
};

/** Removes the sketches of a window, also those that a crash left. */
const deleteParts = async (
  { parts }: Collections,
  endpoint: string,
  { number, parts: counted }: PendingWindow,
): Promise<void> => {
  const prefix = windowPrefix(endpoint, number);
  if ((await countUnder(parts, prefix)) !== counted.length) return deleteUnder(parts, prefix);
  // A part has a key of its own and is never changed: its version is the first one.
  const deletions = counted.map((part) =>
    parts.commit({ key: partKey(endpoint, number, part), expected: 1, document: null }),
  );
  await Promise.all(deletions);
};

const sentBefore = ({ sent }: StreamState, window: PendingWindow): ReadonlySet<string> =>
  new Set(sent.binding === bindingId(window.binding) ? sent.features : []);

const measure = async (
  deps: Dependencies,
  state: StreamState,
  window: PendingWindow,
  monitor: MonitorDocument,
  sketch: WindowSketch,
): Promise<WindowReport> => {
  const { collections, loadBaseline, measureWindow } = deps;
  const identity = { endpoint: state.endpoint, number: window.number };
  const baseline = await loadBaseline(window.binding, monitor.drift, monitor.seed);
  const key = learnedKey(state.endpoint, window);
  const learned = await collections.learned.get(key);
  const usable = learned?.document.windowId === windowId(identity) ? undefined : learned;
  const report = await measureWindow(identity, {
    sketch,
    baseline,
    settings: monitor.drift,
    sentBefore: sentBefore(state, window),
    ...(usable === undefined ? {} : { learnedPredictions: usable.document.profile }),
  });
  const lesson = learned === undefined ? learnPredictions(sketch, baseline, report) : undefined;
  if (lesson !== undefined) {
    await collections.learned.insert(key, { profile: lesson, windowId: windowId(identity) });
  }
  const { labelled, performance } = await measureLabels(
    collections,
    state.endpoint,
    window.number,
    window.binding,
  );
  return { ...report, window: { ...report.window, labelled, performance: { ...performance } } };
};

/** Stores the report with the event of its drift; what an earlier attempt stored stays as it is. */
const storeReport = async (
  { windows }: Collections,
  report: WindowReport,
  monitor: MonitorDocument,
): Promise<WindowReport> => {
  const { window } = report;
  const detected = { window: windowForEvent(window), monitor: toMonitorMessage(monitor) };
  const messages = window.drifted ? [eventMessage(monitoringEvents.driftDetected, window.id, detected)] : [];
  const stored = await windows.update(window.id, (current) =>
    current === undefined
      ? { document: { ...report, endpoint: window.endpoint, number: window.number }, messages }
      : undefined,
  );
  return stored?.document ?? report;
};

/** The state without the window, which no longer needs its parts. */
const withoutWindow = (
  state: StreamState,
  window: PendingWindow,
  sketch: WindowSketch,
  now: number,
): StreamState => ({
  ...state,
  sealed: state.sealed.filter(({ number }) => number !== window.number),
  sent: {
    binding: bindingId(window.binding),
    features: [...new Set([...sentBefore(state, window), ...sketch.sent])].sort(),
  },
  kept:
    window.predictions.length === 0
      ? state.kept
      : [...state.kept, { number: window.number, records: window.records, closedAt: now }],
});

/** Gives up waiting for labels of the oldest windows, beyond the bounds. */
const expirePredictions = async (
  { collections, labelRetention, now }: Dependencies,
  state: StreamState,
): Promise<StreamState> => {
  let records = state.kept.reduce((sum, window) => sum + window.records, 0);
  const expired: number[] = [];
  for (const window of state.kept) {
    const tooOld = now() - window.closedAt > labelRetention.ageMs;
    if (!tooOld && records <= labelRetention.predictions) break;
    expired.push(window.number);
    records -= window.records;
  }
  // Before they are forgotten, so that a crash leaves none behind; asked for together, they share a transaction.
  await Promise.all(
    expired.map((number) => deleteUnder(collections.predictions, windowPrefix(state.endpoint, number))),
  );
  return expired.length === 0 ? state : { ...state, kept: state.kept.slice(expired.length) };
};

/** Measures a window and does what follows from it; returns the state that no longer needs its parts. */
const closeWindow = async (
  deps: Dependencies,
  state: StreamState,
  window: PendingWindow,
  monitor: MonitorDocument,
  cache: SketchCache,
): Promise<StreamState> => {
  const { collections, now } = deps;
  const { endpoint } = state;
  await deleteUncounted(collections, endpoint, window);
  const sketch = await mergedSketch(deps, endpoint, window, monitor, cache);
  const report = await measure(deps, state, window, monitor, sketch);
  const kept = await storeReport(collections, report, monitor);
  await evaluateAlerts(deps, monitor);
  await requestRetraining(deps, monitor, kept.window);
  deps.onWindowClosed?.(kept);
  return withoutWindow(state, window, sketch, now());
};

/** Commits that windows are closed, and only then removes what they were made of. */
const commitClosed = async (
  deps: Dependencies,
  stored: Stored<StreamState>,
  state: StreamState,
  closed: readonly PendingWindow[],
  cache: SketchCache,
): Promise<Stored<StreamState>> => {
  const { collections } = deps;
  const next = await commitState(collections, stored, await expirePredictions(deps, state));
  for (const { number } of closed) cache.forget(number);
  await Promise.all(closed.map((window) => deleteParts(collections, state.endpoint, window)));
  return next;
};

/** Windows whose end is committed together: no more, so that a crash, or a label that comes meanwhile, finds few half closed. */
const maxTogether = 8;

/** Closes the first of the windows that wait for it. When one cannot be measured, those before it are closed all the same. */
const closeFirst = async (
  deps: Dependencies,
  stored: Stored<StreamState>,
  monitor: MonitorDocument,
  cache: SketchCache,
): Promise<Stored<StreamState>> => {
  let state = stored.document;
  const closed: PendingWindow[] = [];
  try {
    for (const window of stored.document.sealed.slice(0, maxTogether)) {
      const attributes = {
        'millrace.endpoint.name': monitor.endpoint,
        'millrace.window.number': window.number,
      };
      state = await inSpan('close window', { attributes }, () =>
        closeWindow(deps, state, window, monitor, cache),
      );
      closed.push(window);
    }
  } catch (thrown) {
    if (closed.length > 0) await commitClosed(deps, stored, state, closed, cache);
    throw thrown;
  }
  return commitClosed(deps, stored, state, closed, cache);
};

/**
 * Measures the windows that are complete, in order: report, alerts, retraining, and only then forgets what they
 * were made of. Each part may be repeated after a crash without doing anything twice.
 */
export const closeWindows = async (
  deps: Dependencies,
  stored: Stored<StreamState>,
  monitor: MonitorDocument,
  cache: SketchCache,
): Promise<Stored<StreamState>> => {
  let current = stored;
  while (current.document.sealed.length > 0) current = await closeFirst(deps, current, monitor, cache);
  return current;
};
