import { emitSpan } from '@millrace/telemetry';
import type { ChildSpan } from './protocol.ts';

/** Adds spans of a child to the trace of the parent. */
export const joinTrace = (spans: readonly ChildSpan[]): void => {
  for (const span of spans) emitSpan(span);
};
