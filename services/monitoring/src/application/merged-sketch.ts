import type { MonitorDocument } from '../domain/monitor.ts';
import type { PendingWindow } from '../domain/stream-state.ts';
import { WindowSketch } from '../domain/window-sketch.ts';
import { partKey } from './part-keys.ts';
import type { Dependencies } from './ports.ts';

/** Keeps pending windows' sketches in memory, so that stored parts are read again only after a restart. */
export class SketchCache {
  readonly #kept = new Map<number, { readonly parts: string; readonly sketch: WindowSketch }>();

  /** The whole sketch of a window, unless something was added elsewhere. */
  find({ number, parts }: PendingWindow): WindowSketch | undefined {
    const kept = this.#kept.get(number);
    return kept?.parts === parts.join() ? kept.sketch : undefined;
  }

  keep({ number, parts }: PendingWindow, sketch: WindowSketch): void {
    this.#kept.set(number, { parts: parts.join(), sketch });
  }

  forget(number: number): void {
    this.#kept.delete(number);
  }
}

/** The whole sketch of a pending window, from memory or from its stored parts. The caller may change it. */
export const mergedSketch = async (
  { collections, loadBaseline }: Dependencies,
  endpoint: string,
  window: PendingWindow,
  monitor: MonitorDocument,
  cache: SketchCache,
): Promise<WindowSketch> => {
  const baseline = await loadBaseline(window.binding, monitor.drift, monitor.seed);
  const whole = new WindowSketch(baseline);
  const kept = cache.find(window);
  if (kept !== undefined) {
    whole.merge(kept);
    return whole;
  }
  for (const part of window.parts) {
    const stored = await collections.parts.get(partKey(endpoint, window.number, part));
    if (stored === undefined) throw new Error(`part ${part} of window ${endpoint}/${window.number} is lost`);
    whole.merge(WindowSketch.fromJSON(stored.document.sketch, baseline));
  }
  return whole;
};
