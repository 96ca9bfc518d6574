import type { Readable, Writable } from 'node:stream';
import type { ChildSpan } from '@millrace/jobs';

/** Parent to worker: do one job. */
export interface RunFrame {
  readonly type: 'run';
  readonly id: number;
  readonly job: string;
  readonly input: unknown;
  /** W3C trace context of the job's span. */
  readonly traceparent?: string;
  readonly userRoot: string;
}

/** Parent to worker: end as a program does, with what is to be done at its exit. */
export interface EndFrame {
  readonly type: 'end';
}

/** What user code raised. */
export interface ThrownFrame {
  readonly type: 'thrown';
  readonly id: number;
  /** `user`: their code, recipe or data is at fault; `worker`: Millrace's own Python code is. */
  readonly kind: 'user' | 'worker';
  /** Class of the exception: `ValueError`, `xgboost.core.XGBoostError`. */
  readonly exception: string;
  readonly message: string;
  /** Relative to the user's root. */
  readonly file?: string;
  readonly line?: number;
  /** Lines of the traceback that lie in the user's files, outermost first; what caused it follows. */
  readonly frames: readonly string[];
  readonly hint?: string;
  /** Field of the recipe that it is about. */
  readonly path?: string;
  readonly errno?: number;
}

export type FromWorker =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly fraction: number; readonly message: string }
  | { readonly type: 'activity'; readonly activity: string }
  | { readonly type: 'spans'; readonly spans: readonly ChildSpan[] }
  | { readonly type: 'result'; readonly id: number; readonly output: unknown }
  | ThrownFrame;

const lengthsSize = 8;

/** Writes one frame: lengths of header and payload (unsigned 32-bit, big-endian), header as JSON, payload. */
export const writeFrame = (stream: Writable, header: RunFrame | EndFrame, payload?: Uint8Array): void => {
  const body = Buffer.from(JSON.stringify(header));
  const lengths = Buffer.alloc(lengthsSize);
  lengths.writeUInt32BE(body.length, 0);
  lengths.writeUInt32BE(payload?.length ?? 0, 4);
  stream.write(Buffer.concat([lengths, body]));
  if (payload !== undefined && payload.length > 0) stream.write(payload);
};

/** Calls back for each whole frame that a stream brings. */
export const readFrames = (
  stream: Readable,
  onFrame: (header: FromWorker, payload: Uint8Array) => void,
): void => {
  let chunks: Buffer[] = [];
  let size = 0;
  /** Bytes that the frame under way needs; known once its lengths are there. */
  let needed = lengthsSize;
  stream.on('data', (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    // Joined only when a frame is complete, so that a large payload is not copied again with each chunk.
    while (size >= needed) {
      const joined = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
      const headerEnd = lengthsSize + joined.readUInt32BE(0);
      const end = headerEnd + joined.readUInt32BE(4);
      chunks = [joined];
      needed = end;
      if (size < end) return;
      onFrame(
        JSON.parse(joined.toString('utf8', lengthsSize, headerEnd)) as FromWorker,
        joined.subarray(headerEnd, end),
      );
      const rest = joined.subarray(end);
      chunks = [rest];
      size = rest.length;
      needed = lengthsSize;
    }
  });
};
