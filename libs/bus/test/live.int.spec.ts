import { randomUUID } from 'node:crypto';
import { type TestBroker, testBroker } from '@millrace/broker';
import { FailedPrecondition } from '@millrace/errors';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  type Bus,
  connectBus,
  consumeEvents,
  consumeRecords,
  listDeadLetters,
  replayDeadLetter,
  startRelay,
  subscription,
  type TailedEvent,
} from '../src/index.ts';
import { publishStored } from '../src/publish-stored.ts';
import { changed, recorder, storedEvent, testBus, testStore, until } from './fixture.ts';

let broker: TestBroker;
let bus: Bus;
let other: Bus;

beforeAll(async () => {
  broker = await testBroker();
});
afterAll(() => broker.stop());
beforeEach(async () => {
  bus = await testBus(broker.url);
  other = await testBus(broker.url, 'other');
  await bus.internals.jsm.streams.purge('EVENTS');
});
afterEach(async () => {
  await Promise.all([bus.drain({ graceMs: 100 }), other.drain({ graceMs: 100 })]);
});

describe('connecting', () => {
  it('says what is wrong when there is no server', async () => {
    const connecting = connectBus({ url: 'nats://127.0.0.1:1', service: 'x', connectTimeoutMs: 100 });
    await expect(connecting).rejects.toMatchObject({
      code: 'unavailable',
      hint: expect.stringContaining('NATS_URL'),
    });
  });

  it('creates the streams once however many services come at the same time', async () => {
    const { jsm } = bus.internals;
    for (const name of ['EVENTS', 'STEPS', 'INFERENCE', 'SPANS', 'DEAD', 'EXHAUSTED'])
      await jsm.streams.delete(name);
    const buses = await Promise.all(Array.from({ length: 6 }, (_, i) => testBus(broker.url, `racer-${i}`)));
    const names: string[] = [];
    for await (const name of jsm.streams.names()) names.push(name);
    expect(names.sort()).toEqual(['DEAD', 'EVENTS', 'EXHAUSTED', 'INFERENCE', 'SPANS', 'STEPS']);
    await Promise.all(buses.map((each) => each.drain()));
  });

  it('changes the limits of streams that exist', async () => {
    const limits = { ...bus.internals.topology.limits, SPANS: { maxAgeMs: 60_000, maxBytes: 1_000_000 } };
    const changing = await connectBus({ url: broker.url, service: 'x', topology: { limits } });
    const { config } = await changing.internals.jsm.streams.info('SPANS');
    expect(config).toMatchObject({ max_bytes: 1_000_000, max_age: 60_000_000_000 });
    await changing.drain();
  });

  it('fails at once when the broker refuses the streams', async () => {
    const limits = { ...bus.internals.topology.limits, SPANS: { maxAgeMs: 60_000, maxBytes: 2 ** 60 } };
    const refused = connectBus({ url: broker.url, service: 'x', topology: { limits } });
    await expect(refused).rejects.toMatchObject({ code: 'failed_precondition' });
  });
});

describe('live messages', () => {
  it('reach who listens, and a failing listener harms nobody', async () => {
    const run = randomUUID();
    const got: unknown[] = [];
    other.subscribeProgress(`millrace.progress.${run}.*`, () => {
      throw new Error('broken listener');
    });
    other.subscribeProgress(`millrace.progress.${run}.*`, (json, subject) => got.push([json, subject]));
    await other.internals.nc.flush();
    bus.publishProgress(`millrace.progress.${run}.train`, { percent: 5 });
    await until(() => expect(got).toEqual([[{ percent: 5 }, `millrace.progress.${run}.train`]]));
  });

  it('ask and answer, errors included', async () => {
    const subject = `test.ask-${randomUUID()}`;
    other.reply(subject, async (json) => {
      if (json === 'bad') throw new FailedPrecondition('not now', { hint: 'wait' });
      return { got: json };
    });
    await other.internals.nc.flush();
    expect(await bus.request(subject, { a: 1 })).toEqual({ got: { a: 1 } });
    await expect(bus.request(subject, 'bad')).rejects.toMatchObject({
      code: 'failed_precondition',
      hint: 'wait',
    });
    await expect(bus.request(`${subject}-nobody`, 1)).rejects.toMatchObject({ code: 'unavailable' });
  });

  it('time out when the answer does not come', async () => {
    const subject = `test.silent-${randomUUID()}`;
    other.reply(subject, () => new Promise(() => {}));
    await other.internals.nc.flush();
    await expect(bus.request(subject, 1, { timeoutMs: 50 })).rejects.toMatchObject({ code: 'timed_out' });
  });

  it.each(['', 'a..b', 'a b', 'a.*', 'naïve'])('are refused on the subject "%s"', (subject) => {
    expect(() => bus.publishProgress(subject, 1)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});

describe('records', () => {
  it('reach their consumer once per id, failing ones are buried and can be replayed', async () => {
    const name = `records-${randomUUID()}`;
    const subject = `millrace.inference.${name}`;
    const got: string[] = [];
    let healed = false;
    consumeRecords(other, {
      name,
      stream: 'INFERENCE',
      subject,
      handle: async ({ data, id }) => {
        if (data[0] === 255 && !healed) return { kind: 'reject', reason: 'unreadable' };
        got.push(`${id}:${data.length}`);
        return { kind: 'done' };
      },
    });
    const bytes = Uint8Array.of(1, 0, 200);
    await bus.publishInference(subject, bytes, { id: `${name}/1` });
    await bus.publishInference(subject, bytes, { id: `${name}/1` });
    await bus.publishInference(subject, Uint8Array.of(255, 254), { id: `${name}/2` });
    await until(() => expect(got).toEqual([`${name}/1:3`]));
    await until(async () => expect(await listDeadLetters(bus, { consumer: name })).toHaveLength(1));
    const [letter] = await listDeadLetters(bus, { consumer: name });
    expect(letter).toMatchObject({ reason: 'unreadable', bodyEncoding: 'base64', body: '//4=' });
    healed = true;
    await replayDeadLetter(bus, letter?.sequence ?? 0);
    await until(() => expect(got).toHaveLength(2));
    expect(got[1]).toMatch(/:2$/);
  });

  it('of spans are kept under the name of their service', async () => {
    await bus.publishSpans(Buffer.from('span'));
    const stored = await bus.internals.jsm.streams.getMessage('SPANS', {
      last_by_subj: 'millrace.spans.testing',
    });
    expect(stored?.string()).toBe('span');
  });
});

describe('reading events', () => {
  const read = async (options: Parameters<Bus['readEvents']>[0], count: number): Promise<TailedEvent[]> => {
    const end = new AbortController();
    const events: TailedEvent[] = [];
    for await (const event of bus.readEvents({ ...options, signal: end.signal })) {
      events.push(event);
      if (events.length === count) end.abort();
    }
    return events;
  };

  it('gives all there is, or what follows a sequence or a time', async () => {
    for (const sequence of [1, 2, 3]) await publishStored(bus, storedEvent('a', sequence));
    const all = await read({ since: 'all' }, 3);
    expect(all.map(({ sequence, data }) => [sequence, data])).toEqual(
      [1, 2, 3].map((n) => [n, { value: n, name: '' }]),
    );
    const after = await read({ since: { afterSequence: all[0]?.streamSequence ?? 0 } }, 2);
    expect(after.map(({ sequence }) => sequence)).toEqual([2, 3]);
    expect(await read({ since: { time: '2020-01-01T00:00:00Z' } }, 3)).toEqual(all);
  });

  it('goes on from the newest event that was there, and has what comes from then on', async () => {
    const before = await bus.lastEventSequence();
    await publishStored(bus, storedEvent('a', 1));
    const place = await bus.lastEventSequence();
    expect(place).toBe(before + 1);
    await publishStored(bus, storedEvent('a', 2));
    const [next] = await read({ since: { afterSequence: place } }, 1);
    expect([next?.streamSequence, next?.sequence]).toEqual([place + 1, 2]);
  });

  it('gives only what matches the filter', async () => {
    await publishStored(bus, storedEvent('a', 1));
    await publishStored(bus, storedEvent('a', 2, { subject: 'millrace.evt.testing.thing.renamed.v1' }));
    const renamed = await read({ since: 'all', filterSubjects: ['millrace.evt.*.thing.renamed.>'] }, 1);
    expect(renamed.map(({ sequence }) => sequence)).toEqual([2]);
  });

  it('goes on after the broker was away', async () => {
    const got: number[] = [];
    const end = new AbortController();
    const reading = (async () => {
      for await (const event of bus.readEvents({ since: 'all', signal: end.signal }))
        got.push(event.sequence);
    })();
    await publishStored(bus, storedEvent('a', 1));
    await until(() => expect(got).toEqual([1]));
    await broker.kill();
    await broker.start();
    await until(async () => void (await publishStored(bus, storedEvent('a', 2))));
    await until(() => expect(got.at(-1)).toBe(2));
    end.abort();
    await reading;
  });
});

describe('draining', () => {
  it('lets handlers end and their events go out, and hands back what never began', async () => {
    const { store, change, close } = await testStore();
    const finish = Promise.withResolvers<void>();
    const started = Promise.withResolvers<void>();
    const name = `drain-${randomUUID()}`;
    const seen = recorder(async (event) => {
      if (event.sequence === 1) {
        started.resolve();
        await finish.promise;
        await change('caused', { value: 1 });
      }
      return { kind: 'done' };
    });
    startRelay({ bus, outbox: store.outbox });
    consumeEvents(bus, { name, inbox: store.inbox, subscriptions: seen.subscriptions });
    for (const sequence of [1, 2]) await publishStored(bus, storedEvent('a', sequence));
    await started.promise;
    const drained = bus.drain();
    finish.resolve();
    await drained;
    expect(seen.sequences('a')).toEqual([1]);
    expect((await store.outbox.stats()).pending).toBe(0);

    const again = recorder();
    consumeEvents(other, { name, inbox: store.inbox, subscriptions: again.subscriptions });
    await until(() => expect(again.sequences('a')).toEqual([2]));
    await close();
  });

  it('aborts the signal of a handler that outlasts the grace time', async () => {
    const { store, close } = await testStore();
    const started = Promise.withResolvers<void>();
    consumeEvents(bus, {
      name: `grace-${randomUUID()}`,
      inbox: store.inbox,
      subscriptions: [
        subscription(changed, async (_event, { signal }) => {
          started.resolve();
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          throw new Error('cut short');
        }),
      ],
    });
    await publishStored(bus, storedEvent('a', 1));
    await started.promise;
    await bus.drain({ graceMs: 20 });
    expect(bus.status().connected).toBe(false);
    await close();
  });
});
