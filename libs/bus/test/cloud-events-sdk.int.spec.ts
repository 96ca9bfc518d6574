import { testBroker } from '@millrace/broker';
import { jetstream } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { type CloudEvent, HTTP } from 'cloudevents';
import { expect, it } from 'vitest';
import { connectBus, startRelay, structuredEvent } from '../src/index.ts';
import { testStore } from './fixture.ts';

/** As the NATS protocol binding of CloudEvents 1.0 says, values are percent-encoded; the HTTP binding, which is the same but for that, decodes the rest. */
const decoded = (value: string | undefined): string => decodeURIComponent(value ?? '');

it('events on NATS, and in the structured form, are parsed by the stock CloudEvents SDK', async () => {
  const broker = await testBroker();
  const { store, change, close } = await testStore();
  const bus = await connectBus({ url: broker.url, service: 'testing' });
  const relay = startRelay({ bus, outbox: store.outbox });
  const connection = await connect({ servers: broker.url });
  try {
    await change('zoë/1', { value: 7, name: 'seven ✓' });
    const events = bus.readEvents({ since: 'all' })[Symbol.asyncIterator]();
    const read = (await events.next()).value;
    const message = await (await jetstream(connection).consumers.get('EVENTS')).next();
    const headers = Object.fromEntries(
      [...(message?.headers ?? [])].map(([name, [value]]) => [name, decoded(value)]),
    );
    const structured = { 'content-type': 'application/cloudevents+json' };
    const parsed = [
      HTTP.toEvent({ headers, body: message?.string() }),
      HTTP.toEvent({ headers: structured, body: JSON.stringify(structuredEvent(read)) }),
    ] as CloudEvent<unknown>[];
    for (const event of parsed) {
      expect(event.validate()).toBe(true);
      expect(event).toMatchObject({
        specversion: '1.0',
        id: read.id,
        type: 'millrace.testing.thing.changed.v1',
        source: '/millrace/testing',
        subject: 'zoë/1',
        sequence: '1',
        millraceentity: 'testing.thing/zoë/1',
        data: { value: 7, name: 'seven ✓' },
      });
      expect(new Date(event.time ?? '').toISOString()).toBe(read.time);
    }
    await events.return?.(undefined);
  } finally {
    await connection.close();
    await relay.stop();
    await bus.drain();
    await close();
    await broker.stop();
  }
});
