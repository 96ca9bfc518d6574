import { constants, gunzipSync, gzipSync } from 'node:zlib';
import type { SpanRecord } from './span-record.ts';

/** Names and values repeat from span to span: the quickest compression leaves a tenth. */
const quickest = { level: constants.Z_BEST_SPEED } as const;

/** Longest text of a batch. Bytes. */
const mostBytes = 64 * 1024 * 1024;

const bracket = '['.charCodeAt(0);

/** Spans as a message and the trace store hold them: JSON, compressed by gzip. */
export const encodeSpanBatch = (spans: readonly SpanRecord[]): Buffer =>
  gzipSync(JSON.stringify(spans), quickest);

/** Throws where the bytes are no such batch. Those of earlier code, which did not compress, are read as well. */
export const decodeSpanBatch = (batch: Uint8Array): readonly SpanRecord[] => {
  const text = batch[0] === bracket ? batch : gunzipSync(batch, { maxOutputLength: mostBytes });
  return JSON.parse(new TextDecoder().decode(text)) as SpanRecord[];
};
