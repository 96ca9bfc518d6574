import type { Bus } from './bus.ts';
import { subjects } from './subjects.ts';
import { foundOrUndefined, streams } from './topology.ts';

/** What an event consumer has not settled. */
export interface EventLag {
  readonly events: number;
  /** ISO 8601; when the oldest of them was put on the stream. */
  readonly oldest?: string;
}

/** How far a consumer of all events is behind; all there is, while it was never started. */
export const eventLag = async (
  { internals }: Pick<Bus, 'internals'>,
  consumer: string,
): Promise<EventLag> => {
  const { jsm } = internals;
  const info = await foundOrUndefined(jsm.consumers.info(streams.events, consumer));
  const events =
    info === undefined
      ? ((await foundOrUndefined(jsm.streams.info(streams.events)))?.state.messages ?? 0)
      : info.num_pending + info.num_ack_pending;
  if (events === 0) return { events };
  const seq = (info?.ack_floor.stream_seq ?? 0) + 1;
  const oldest = await foundOrUndefined(
    jsm.direct.getMessage(streams.events, { seq, next_by_subj: `${subjects.events}.>` }),
  );
  return oldest ? { events, oldest: oldest.time.toISOString() } : { events };
};
