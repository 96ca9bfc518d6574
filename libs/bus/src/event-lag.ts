import type { Bus } from './bus.ts';
import { foundOrUndefined, streams } from './topology.ts';

/** What an event consumer has not settled. */
export interface EventLag {
  readonly events: number;
  /** Stream sequence up to which everything is settled. */
  readonly settledUpTo: number;
}

/** How far a consumer of all events is behind; all there is, while it was never started. */
export const eventLag = async (
  { internals }: Pick<Bus, 'internals'>,
  consumer: string,
): Promise<EventLag> => {
  const { jsm } = internals;
  const info = await foundOrUndefined(jsm.consumers.info(streams.events, consumer));
  if (info !== undefined) {
    return { events: info.num_pending + info.num_ack_pending, settledUpTo: info.ack_floor.stream_seq };
  }
  const stream = await foundOrUndefined(jsm.streams.info(streams.events));
  return { events: stream?.state.messages ?? 0, settledUpTo: 0 };
};
