/**
 * The event path: a durable state change with its event, relay, JetStream, consumer with its own durable effect
 * and inbox position; against bare publish and consume in the same client. Prints one line of JSON per figure.
 *
 * `node libs/bus/bench/event-path.bench.ts [events]`
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { testBroker } from '@millrace/broker';
import { defineEvent, entityId, type MessageCodec } from '@millrace/contracts';
import { openSqliteStore } from '@millrace/store';
import { type Bus, connectBus, consumeEvents, serveRefill, startRelay, subscription } from '../src/index.ts';

interface Sample {
  readonly n: number;
  /** `performance.now()` at the commit's call. */
  readonly at: number;
}

const codec: MessageCodec<Sample> = {
  encode: () => ({ finish: () => new Uint8Array() }),
  decode: () => ({ n: 0, at: 0 }),
  fromJSON: (json) => json as Sample,
  toJSON: (message) => message,
};

const definition = defineEvent<Sample>('millrace.bench.sample.taken.v1', codec);
const total = Number(process.argv[2] ?? 40_000);
const entities = 500;
const pacedRate = 1_000;
const pacedSeconds = 10;

const broker = await testBroker();
const directory = await mkdtemp(join(tmpdir(), 'millrace-bench-'));
const bus = await connectBus({ url: broker.url, service: 'bench' });

const report = (figure: string, values: object) => console.log(JSON.stringify({ figure, ...values }));
const perSecond = (count: number, startedAt: number) =>
  Math.round((count * 1_000) / (performance.now() - startedAt));
const percentile = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.floor(sorted.length * share)] ?? 0) * 100) / 100;

/** Publishes and consumes messages of the same size with the client alone, as many publishes in flight as the relay has. */
const bare = async ({ internals: { js, jsm } }: Bus) => {
  await jsm.streams.add({ name: 'BARE', subjects: ['bare.>'] });
  await jsm.consumers.add('BARE', { durable_name: 'bare', ack_policy: 'explicit', max_ack_pending: 1_024 });
  const body = JSON.stringify({ n: 100_000, at: 123_456.789 });
  const startedAt = performance.now();
  const inFlight = new Set<Promise<unknown>>();
  for (let n = 0; n < total; n += 1) {
    const publish: Promise<unknown> = js.publish('bare.a', body).finally(() => inFlight.delete(publish));
    inFlight.add(publish);
    if (inFlight.size >= 512) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  const published = perSecond(total, startedAt);
  const consumeStartedAt = performance.now();
  let consumed = 0;
  const messages = await (await js.consumers.get('BARE', 'bare')).consume({ max_messages: 1_024 });
  for await (const message of messages) {
    message.ack();
    consumed += 1;
    if (consumed === total) break;
  }
  report('bare', { publishedPerSecond: published, consumedPerSecond: perSecond(total, consumeStartedAt) });
  await jsm.streams.delete('BARE');
  return published;
};

const bareRate = await bare(bus);

const producer = await openSqliteStore({ path: join(directory, 'producer.db'), service: 'bench' });
const consumer = await openSqliteStore({ path: join(directory, 'consumer.db'), service: 'bench' });
const samples = producer.collection<{ readonly n: number }>({ name: 'samples' });
const effects = consumer.collection<{ readonly n: number }>({ name: 'effects' });
const versions = new Map<string, number>();

const change = async (n: number) => {
  const key = String(n % entities);
  const expected = versions.get(key) ?? 0;
  versions.set(key, expected + 1);
  const data = { n, at: performance.now() };
  await samples.commit({
    key,
    expected,
    document: { n },
    messages: [
      {
        subject: definition.subject,
        type: definition.type,
        entity: entityId(definition, key),
        key,
        data: { ...data },
      },
    ],
  });
};

const handledTimes = new Map<number, number>();
const latencies: number[] = [];
startRelay({ bus, outbox: producer.outbox });
serveRefill({ bus, outbox: producer.outbox });
consumeEvents(bus, {
  name: 'bench',
  inbox: consumer.inbox,
  maxInFlight: 1_024,
  subscriptions: [
    subscription(definition, async (event, { handled }) => {
      await effects.commit({
        key: String(event.data.n),
        expected: 0,
        document: { n: event.data.n },
        handled,
      });
      latencies.push(performance.now() - event.data.at);
      handledTimes.set(event.data.n, (handledTimes.get(event.data.n) ?? 0) + 1);
      return { kind: 'done' };
    }),
  ],
});

const allHandled = async (count: number) => {
  while (handledTimes.size < count) await new Promise((resolve) => setTimeout(resolve, 5));
};
const lostAndDoubled = async (count: number) => ({
  lost: count - (await effects.count()),
  doubled: [...handledTimes.values()].filter((times) => times > 1).length,
});

/** As fast as it goes: changes of different entities at once, one after another within each. */
const sustained = async () => {
  const startedAt = performance.now();
  for (let n = 0; n < total; n += entities) {
    await Promise.all(Array.from({ length: Math.min(entities, total - n) }, (_, i) => change(n + i)));
  }
  const committed = perSecond(total, startedAt);
  await allHandled(total);
  const eventsPerSecond = perSecond(total, startedAt);
  report('sustained', {
    eventsPerSecond,
    committedPerSecond: committed,
    shareOfBarePublish: Math.round((eventsPerSecond / bareRate) * 100) / 100,
    ...(await lostAndDoubled(total)),
  });
};

/** At a steady rate: how long from the call of the commit to the end of the consumer's effect. */
const paced = async () => {
  latencies.length = 0;
  const count = pacedRate * pacedSeconds;
  const startedAt = performance.now();
  const changes: Promise<void>[] = [];
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) / 1_000) * pacedRate));
    for (; sent < due; sent += 1) changes.push(change(total + sent));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(changes);
  await allHandled(total + count);
  const sorted = latencies.toSorted((a, b) => a - b);
  report('paced', {
    ratePerSecond: pacedRate,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    maxMs: percentile(sorted, 0.999999),
    ...(await lostAndDoubled(total + count)),
  });
};

await sustained();
await paced();
await bus.drain();
await producer.close();
await consumer.close();
await broker.stop();
await rm(directory, { recursive: true, force: true });
