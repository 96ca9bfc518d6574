import type { ErrorJson } from '@millrace/errors';

/** Parent to child: do one job. */
export interface RunMessage {
  readonly type: 'run';
  readonly entry: string;
  readonly input: unknown;
  /** W3C trace context of the job's span. */
  readonly traceparent?: string;
  /** Root of the user's own files; absent when the entry runs none. */
  readonly userRoot?: string;
}

/** Parent to child: the answer to a question. */
export interface ReplyMessage {
  readonly type: 'reply';
  readonly id: number;
  readonly value: unknown;
}

export type ToChild = RunMessage | ReplyMessage;

/** A span made in the child, finished. Times are milliseconds since the epoch. */
export interface ChildSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly name: string;
  readonly start: number;
  readonly end: number;
  readonly attributes: Readonly<Record<string, string | number | boolean>>;
  readonly error?: string;
}

/** How far a job is. */
export interface JobProgress {
  /** 0 to 1; negative when unknown. */
  readonly fraction: number;
  readonly message: string;
}

/** What a thrown value was, in a form that crosses to the parent. */
export interface ThrownDescription {
  /** Set when it is one of the taxonomy. */
  readonly taxonomy?: ErrorJson;
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack: string;
}

export type FromChild =
  | { readonly type: 'ready' }
  | { readonly type: 'progress'; readonly progress: JobProgress }
  /** What the job is doing now, for the message of a job that ends without a word. */
  | { readonly type: 'activity'; readonly activity: string }
  | { readonly type: 'question'; readonly id: number; readonly value: unknown }
  | { readonly type: 'spans'; readonly spans: readonly ChildSpan[] }
  | { readonly type: 'result'; readonly output: unknown }
  /** `last`: the child ends with it. */
  | { readonly type: 'thrown'; readonly thrown: ThrownDescription; readonly last?: true };
