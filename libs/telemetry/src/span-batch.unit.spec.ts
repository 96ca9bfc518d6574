import { expect, it } from 'vitest';
import { decodeSpanBatch, encodeSpanBatch } from './span-batch.ts';
import type { SpanRecord } from './span-record.ts';

const spans = Array.from(
  { length: 200 },
  (_, i): SpanRecord => ({
    traceId: '1af7651916cd43dd8448eb211c80319c',
    spanId: String(i).padStart(16, '0'),
    name: 'update runs – größer',
    kind: 'client',
    service: 'pipeline',
    start: 1_760_000_000_000 + i,
    duration: i / 8,
    attributes: { 'db.system.name': 'sqlite', 'db.collection.name': 'runs', 'db.operation.name': 'update' },
    links: [],
  }),
);

it('gives spans back as they were, from a tenth of their length', () => {
  const batch = encodeSpanBatch(spans);
  expect(decodeSpanBatch(batch)).toEqual(spans);
  expect(batch.length).toBeLessThan(JSON.stringify(spans).length / 10);
});

it('reads what earlier code sent uncompressed, and refuses what is no batch', () => {
  expect(decodeSpanBatch(Buffer.from(JSON.stringify(spans)))).toEqual(spans);
  for (const bytes of ['', 'spans', '[{']) expect(() => decodeSpanBatch(Buffer.from(bytes))).toThrow();
});
