import type { Bus } from '@millrace/bus';
import { encodeSpanBatch, exportTo, type SpanRecord } from '@millrace/telemetry';
import { newId } from './ids.ts';

/** Of the services of this process, by the broker's address. */
const busesOf = new Map<string, Set<Bus>>();

/**
 * Sends the spans of the bus's service to the trace store; returns how to stop it. Services of one process that have the
 * same broker send theirs in one message, since each costs a publish, a delivery and a commit. Spans are for looking at: those
 * that cannot be sent are dropped.
 */
export const publishSpans = (bus: Bus, natsUrl: string): (() => void) => {
  const buses = busesOf.get(natsUrl) ?? new Set();
  busesOf.set(natsUrl, buses.add(bus));
  const stop = exportTo((spans) => {
    const [first] = buses;
    if (bus === first) send(bus, spansOf(buses, spans));
  });
  return () => {
    stop();
    buses.delete(bus);
    if (buses.size === 0) busesOf.delete(natsUrl);
  };
};

const spansOf = (buses: ReadonlySet<Bus>, spans: readonly SpanRecord[]): readonly SpanRecord[] => {
  const services = new Set(Array.from(buses, ({ service }) => service));
  return spans.filter(({ service }) => services.has(service));
};

const send = (bus: Bus, spans: readonly SpanRecord[]): void => {
  if (spans.length === 0) return;
  bus.publishSpans(encodeSpanBatch(spans), { id: newId('spans') }).catch(() => {});
};
