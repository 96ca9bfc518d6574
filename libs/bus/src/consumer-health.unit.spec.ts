import type { ConsumerInfo } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import { type ConsumerProblem, Progress, problemOf, stuckAfterMs } from './consumer-health.ts';

const infoOf = (more: object = {}): ConsumerInfo =>
  ({
    ack_floor: { consumer_seq: 5, stream_seq: 5 },
    delivered: { consumer_seq: 5, stream_seq: 5 },
    num_pending: 0,
    num_ack_pending: 0,
    num_redelivered: 0,
    ...more,
  }) as unknown as ConsumerInfo;

const long = stuckAfterMs;

it.each<[string, object, object, ConsumerProblem | undefined]>([
  ['has nothing to do', {}, { stalledMs: long }, undefined],
  ['has messages, and takes them', { num_pending: 3 }, {}, undefined],
  ['has messages that nobody asks for', { num_pending: 3 }, { stalledMs: long }, 'not_read'],
  ['holds events without settling any', { num_ack_pending: 2 }, { stalledMs: long }, 'stuck'],
  ['holds a long command', { num_ack_pending: 1 }, { stalledMs: long, stream: 'STEPS' }, undefined],
  [
    'holds a command that comes again and again',
    { num_ack_pending: 1, num_redelivered: 1 },
    { stalledMs: long, stream: 'STEPS' },
    'stuck',
  ],
  ['is ahead of the stream', {}, { lastSequence: 4 }, 'ahead_of_stream'],
  ['is paused', { paused: true }, {}, 'paused'],
  ['had messages given up on', {}, { givenUp: 1 }, 'gave_up'],
])('a consumer that %s', (_what, info, sight, problem) => {
  const seen = { stream: 'EVENTS' as const, lastSequence: 9, stalledMs: 0, givenUp: 0, ...sight };
  expect(problemOf({ ...seen, info: infoOf(info) })).toBe(problem);
});

it('has stalled since it last settled something, or had nothing to do', () => {
  const progress = new Progress();
  expect(progress.stalledMs(infoOf({ num_pending: 1 }), 1_000)).toBe(0);
  expect(progress.stalledMs(infoOf({ num_pending: 2 }), 4_000)).toBe(3_000);
  expect(
    progress.stalledMs(infoOf({ num_pending: 2, ack_floor: { consumer_seq: 6, stream_seq: 6 } }), 5_000),
  ).toBe(0);
  expect(progress.stalledMs(infoOf(), 9_000)).toBe(0);
});
