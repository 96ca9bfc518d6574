import type { Bus } from '@millrace/bus';
import { payloadOf } from './path.ts';

export interface BareRates {
  readonly publishedPerSecond: number;
  readonly consumedPerSecond: number;
}

/** Publishes in flight at once: as many as the relay has. */
const inFlightAtMost = 512;

/** Publishes, then consumes, messages of the same size with the client alone. */
export const bareRates = async (
  { internals: { js, jsm } }: Bus,
  total: number,
  replicas: number,
): Promise<BareRates> => {
  await jsm.streams.add({ name: 'BARE', subjects: ['bare.>'], num_replicas: replicas });
  await jsm.consumers.add('BARE', { durable_name: 'bare', ack_policy: 'explicit', max_ack_pending: 1_024 });
  const body = JSON.stringify(payloadOf(100_000));
  const publishStart = performance.now();
  const inFlight = new Set<Promise<unknown>>();
  for (let n = 0; n < total; n += 1) {
    const publish: Promise<unknown> = js.publish('bare.a', body).finally(() => inFlight.delete(publish));
    inFlight.add(publish);
    if (inFlight.size >= inFlightAtMost) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  const consumeStart = performance.now();
  let consumed = 0;
  const messages = await (await js.consumers.get('BARE', 'bare')).consume({ max_messages: 1_024 });
  for await (const message of messages) {
    message.ack();
    consumed += 1;
    if (consumed === total) break;
  }
  const end = performance.now();
  await jsm.streams.delete('BARE');
  return {
    publishedPerSecond: (total * 1_000) / (consumeStart - publishStart),
    consumedPerSecond: (total * 1_000) / (end - consumeStart),
  };
};
