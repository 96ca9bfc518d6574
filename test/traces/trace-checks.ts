import type { SpanRecord } from '@millrace/telemetry';
import { expect } from 'vitest';
import { eventually } from '../support/wait.ts';
import type { CollectedSpans } from './collected-spans.ts';
import type { Jaeger, JaegerSpan } from './jaeger-server.ts';

/** Services that do or hand out a step of a run. */
export const servicesOfARun = [
  'deployment',
  'evaluation',
  'gateway',
  'ingest',
  'monitoring',
  'pipeline',
  'registry',
  'training',
] as const;

export const servicesOf = (spans: readonly SpanRecord[]): readonly string[] =>
  [...new Set(spans.map(({ service }) => service))].sort();

/** Parents that a trace names and does not have. */
const missingParents = (spans: readonly SpanRecord[]): readonly string[] => {
  const ids = new Set(spans.map(({ spanId }) => spanId));
  return spans
    .filter(({ parentSpanId }) => parentSpanId !== undefined && !ids.has(parentSpanId))
    .map(({ name, service }) => `${service} ${name}`);
};

/** Names of the spans from a span up to the root. */
export const ancestorsOf = (spans: readonly SpanRecord[], span: SpanRecord): readonly string[] => {
  const byId = new Map(spans.map((each) => [each.spanId, each]));
  const names: string[] = [];
  for (let at = byId.get(span.parentSpanId ?? ''); at !== undefined; at = byId.get(at.parentSpanId ?? '')) {
    names.push(at.name);
  }
  return names;
};

/** A whole trace: one root, every parent there, each consumer linked to its producer, the child process in it. */
export const checkRunTrace = (spans: readonly SpanRecord[]): void => {
  expect(servicesOf(spans)).toEqual(expect.arrayContaining([...servicesOfARun]));
  expect(missingParents(spans)).toEqual([]);
  expect(spans.filter(({ parentSpanId }) => parentSpanId === undefined)).toMatchObject([
    { name: 'POST /api/v1/runs', service: 'gateway', kind: 'server' },
  ]);
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const consumers = spans.filter(({ kind }) => kind === 'consumer');
  expect(consumers.length).toBeGreaterThan(20);
  for (const { parentSpanId, links } of consumers) {
    expect(links.map(({ spanId }) => spanId)).toContain(parentSpanId);
    expect(byId.get(parentSpanId ?? '')?.kind).toBe('producer');
  }
  const inChild = spans.find(({ name }) => name === 'fit linear/ridge');
  if (inChild === undefined) throw new Error('nothing of the training process');
  expect(ancestorsOf(spans, inChild)).toEqual(
    expect.arrayContaining(['process millrace.step.training.train', 'pipeline step train', 'pipeline run']),
  );
};

const tag = ({ tags }: JaegerSpan, key: string): unknown => tags.find((each) => each.key === key)?.value;

/** Spans that a span comes from: its parent and those that it links to. */
const referencesOf = ({ references }: JaegerSpan): ReadonlySet<string> =>
  new Set(references.map(({ spanID }) => spanID));

/**
 * What Jaeger tells of a trace is what was published of it: the same spans of the same services, with the same
 * parents, links, kinds and attributes; and `check` finds it whole. Spans may still be on their way.
 */
export const checkInJaeger = async (
  jaeger: Jaeger,
  traceId: string,
  collected: CollectedSpans,
  check: (spans: readonly SpanRecord[]) => void = () => {},
): Promise<readonly SpanRecord[]> =>
  eventually(`trace ${traceId} in Jaeger`, async () => {
    const ours = collected.ofTrace(traceId);
    check(ours);
    const theirs = await jaeger.trace(traceId);
    expect(theirs?.spans.length).toBe(ours.length);
    const byId = new Map(theirs?.spans.map((span) => [span.spanID, span]));
    for (const span of ours) {
      const found = byId.get(span.spanId);
      if (found === undefined) throw new Error(`Jaeger has no ${span.name} of ${span.service}`);
      expect(found.operationName).toBe(span.name);
      expect(theirs?.processes[found.processID]?.serviceName).toBe(span.service);
      expect(tag(found, 'span.kind')).toBe(span.kind);
      // Of a consumer, whose parent is linked as well, Jaeger tells the reference once.
      const linked = span.links.map(({ spanId }) => spanId);
      const parent = span.parentSpanId === undefined ? [] : [span.parentSpanId];
      expect(referencesOf(found)).toEqual(new Set([...parent, ...linked]));
      for (const [key, value] of Object.entries(span.attributes)) expect(tag(found, key), key).toEqual(value);
      expect(tag(found, 'error')).toBe(span.error === undefined ? undefined : true);
    }
    return ours;
  });
