import type { ConsumerInfo } from '@nats-io/jetstream';
import { type StreamName, streams } from './topology.ts';

/**
 * What keeps a consumer from its messages.
 *
 * - `missing`: it does not exist.
 * - `ahead_of_stream`: it believes to be further than the stream is, so that new messages count as seen.
 * - `paused`: somebody paused it.
 * - `not_read`: messages wait and nobody asks for them.
 * - `stuck`: messages are in somebody's hands, and none was settled for long.
 * - `gave_up`: the server delivered messages as often as it may, and nobody took them off it.
 */
export type ConsumerProblem = 'missing' | 'ahead_of_stream' | 'paused' | 'not_read' | 'stuck' | 'gave_up';

/** A consumer is stuck when it made no progress for so long although messages wait, milliseconds. */
export const stuckAfterMs = 60_000;

export interface ConsumerSight {
  readonly stream: StreamName;
  readonly info: ConsumerInfo;
  /** Last number of the stream. */
  readonly lastSequence: number;
  /** How long what waits has waited without progress, milliseconds. */
  readonly stalledMs: number;
  /** Messages that the server gave up on and nobody has buried. */
  readonly givenUp: number;
}

/** What is wrong with a consumer, the gravest first; `undefined` when it is well. */
export const problemOf = (
  { stream, info, lastSequence, stalledMs, givenUp }: ConsumerSight,
  patienceMs = stuckAfterMs,
): ConsumerProblem | undefined => {
  const { ack_floor: floor, delivered, num_pending: pending, num_ack_pending: held } = info;
  if (floor.stream_seq > lastSequence || delivered.stream_seq > lastSequence) return 'ahead_of_stream';
  if (info.paused === true) return 'paused';
  if (givenUp > 0) return 'gave_up';
  if (stalledMs < patienceMs) return undefined;
  if (held > 0) {
    // A command is held as long as its step takes; its worker tells the server that it lives, else it is delivered again.
    return stream === streams.steps && info.num_redelivered === 0 ? undefined : 'stuck';
  }
  return pending > 0 ? 'not_read' : undefined;
};

/** Measures for how long a consumer has had messages and settled none, from look to look. */
export class Progress {
  #floor = -1;
  #since = 0;

  /** Milliseconds without progress as of `now` (any clock, ms); 0 when nothing waits. */
  stalledMs(info: ConsumerInfo, now: number): number {
    const floor = info.ack_floor.consumer_seq;
    const waits = info.num_pending + info.num_ack_pending > 0;
    if (!waits || floor !== this.#floor) this.#since = now;
    this.#floor = floor;
    return now - this.#since;
  }
}
