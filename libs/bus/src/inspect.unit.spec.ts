import type { ConsumerInfo, StreamInfo } from '@nats-io/jetstream';
import { expect, it } from 'vitest';
import type { Bus } from './bus.ts';
import { inspectBus } from './inspect.ts';

/** A broker to whose stream a message comes, and is handled at once, whenever somebody asks for anything. */
const busyBus = (): Bus => {
  let messages = 0;
  const streamInfo = (name: string) => {
    messages += 1;
    const state = { messages, bytes: messages, first_seq: 1, last_seq: messages };
    return {
      config: { name, num_replicas: 1 },
      created: '2026-01-02T03:04:05Z',
      state,
    } as unknown as StreamInfo;
  };
  const consumerInfo = (stream: string) => {
    messages += 1;
    const done = { consumer_seq: messages, stream_seq: messages };
    return {
      name: `reader-of-${stream}`,
      config: { durable_name: `reader-of-${stream}` },
      ack_floor: done,
      delivered: done,
      num_pending: 0,
      num_ack_pending: 0,
      num_redelivered: 0,
      num_waiting: 1,
    } as unknown as ConsumerInfo;
  };
  async function* list(stream: string) {
    yield consumerInfo(stream);
  }
  const jsm = { streams: { info: async (name: string) => streamInfo(name) }, consumers: { list } };
  return { internals: { jsm, nc: { info: { version: '2.12.0' } } } } as unknown as Bus;
};

it('a consumer is not taken to be ahead of a stream that goes on while it is inspected', async () => {
  const { consumers } = await inspectBus(busyBus());
  expect(consumers.map(({ name }) => name)).toContain('reader-of-EVENTS');
  expect(consumers.filter(({ problem }) => problem !== undefined)).toEqual([]);
});
