import { isDeepStrictEqual } from 'node:util';
import type { Stored } from '@millrace/store';
import { currentBinding, type MonitorDocument } from '../domain/monitor.ts';
import type { StreamState } from '../domain/stream-state.ts';
import { windowId } from '../domain/window-report.ts';
import { commitState } from './commit-state.ts';
import { evaluateAlerts } from './evaluate-alerts.ts';
import { measureLabels } from './measure-labels.ts';
import type { Collections, Dependencies } from './ports.ts';

const reviseWindow = async (
  collections: Collections,
  monitor: MonitorDocument,
  number: number,
): Promise<void> => {
  const { endpoint } = monitor;
  const figures = await measureLabels(collections, endpoint, number, currentBinding(monitor));
  await collections.windows.update(windowId({ endpoint, number }), (current) => {
    if (current === undefined) return undefined;
    const { window } = current.document;
    if (isDeepStrictEqual({ labelled: window.labelled, performance: window.performance }, figures)) {
      return undefined;
    }
    const revised = {
      ...window,
      version: window.version + 1,
      labelled: figures.labelled,
      performance: { ...figures.performance },
    };
    return { document: { ...current.document, window: revised } };
  });
};

/** Measures the performance of windows again whose labels changed, each with a new version, and judges the rules. */
export const reviseWindows = async (
  deps: Dependencies,
  stored: Stored<StreamState>,
  monitor: MonitorDocument,
): Promise<Stored<StreamState>> => {
  const { stale } = stored.document;
  if (stale.length === 0) return stored;
  for (const number of stale) await reviseWindow(deps.collections, monitor, number);
  await evaluateAlerts(deps, monitor);
  return commitState(deps.collections, stored, { ...stored.document, stale: [] });
};
