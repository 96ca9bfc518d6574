/**
 * The event path: a durable change of state with its event, relay, JetStream, consumer with its own durable effect and
 * inbox position. Every commit is fsynced, the broker is not. Producer and consumer are two processes, each with its store,
 * as services are; and then one, as in the embedded mode.
 *
 * Sustained: 20,000 changes as fast as they go, of 500 entities in turn; from the first commit to the last effect. Against
 * bare publishes of messages of the same size by the same client, with as many in flight, just before. Paced: 1,000
 * changes a second for five seconds at fixed times, so that a stall counts for all that it delays; from the call of the
 * commit to the end of the effect. Checked: every change has one effect in the consumer's store, none was handled twice.
 *
 * The same on MongoDB in place of SQLite, and on three brokers with three copies of every message. Both say what the
 * configuration costs here, not what it can do: MongoDB is the stand-in of the tests, in memory, and the three brokers share
 * this machine's processors and disk.
 */
import { testBroker, testCluster } from '@millrace/broker';
import { connectBus } from '@millrace/bus';
import { type DocumentStore, openMongoStore, openSqliteStore } from '@millrace/store';
import { startMongoServer } from '@millrace/store/mongo-server';
import { startConsumerApart } from './events/apart.ts';
import { type BareRates, bareRates } from './events/bare.ts';
import { bareMongoRates } from './events/bare-mongo.ts';
import { type Consumer, EventPath, entities, startConsumer } from './events/path.ts';
import {
  atLeast,
  atMost,
  type Benchmark,
  type Figure,
  median,
  mustHold,
  percentile,
  type Target,
} from './harness/benchmark.ts';
import { inDirectory } from './harness/embedded.ts';
import { durableAppendMs } from './harness/floors.ts';
import { shortNumber } from './harness/report.ts';

const repeats = 5;
const sustainedTarget = 8_000;
const pacedSeconds = 5;

/** As fast as it goes: changes of different entities at once, one after another within each. */
const sustained = async (path: EventPath, total: number): Promise<number> => {
  const startedAt = performance.now();
  for (let n = 0; n < total; n += entities) {
    await Promise.all(Array.from({ length: Math.min(entities, total - n) }, (_, i) => path.change(n + i)));
  }
  await path.allHandled(total);
  return (total * 1_000) / (performance.now() - startedAt);
};

const paced = async (path: EventPath, { total, pacedRate }: Setup): Promise<readonly number[]> => {
  const count = pacedRate * pacedSeconds;
  const startedAt = performance.now();
  const changes: Promise<void>[] = [];
  for (let sent = 0; sent < count; ) {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) / 1_000) * pacedRate));
    for (; sent < due; sent += 1) changes.push(path.change(total + sent));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(changes);
  await path.allHandled(total + count);
  return path.latenciesFrom(total);
};

interface Repeat {
  readonly bare: BareRates;
  /** What the store does without us, where that says something. */
  readonly storeFloor: string | undefined;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** What the path is made of. */
interface Setup {
  readonly name: string;
  readonly brokers: 1 | 3;
  /** The consumer is a process of its own. */
  readonly apart?: boolean;
  /** Opens the store of one side; `close` afterwards ends what it needed. */
  readonly stores: (directory: string) => Promise<{
    open(side: string): Promise<DocumentStore>;
    /** Measures what the store does without us. */
    floor?(): Promise<string>;
    close(): Promise<void>;
  }>;
  readonly repeats: number;
  /** Changes as fast as they go. */
  readonly total: number;
  /** Changes a second afterwards; the stand-in for MongoDB could not follow a thousand. */
  readonly pacedRate: number;
}

const sqlite: Setup['stores'] = async (directory) => ({
  open: (side) => openSqliteStore({ path: `${directory}/${side}.sqlite`, service: 'bench' }),
  close: async () => {},
});

const mongodb: Setup['stores'] = async () => {
  const server = await startMongoServer();
  return {
    open: (side) => openMongoStore({ url: server.url, database: side, service: 'bench' }),
    floor: async () => {
      const { updatesPerSecond, groupedPerSecond, findMs } = await bareMongoRates(server.url);
      const rates = `${shortNumber(updatesPerSecond)} /s, in groups ${shortNumber(groupedPerSecond)} /s`;
      return `bare updates ${rates}, find ${shortNumber(findMs)} ms`;
    },
    close: () => server.kill(),
  };
};

const setups: readonly Setup[] = [
  { name: 'events', apart: true, brokers: 1, stores: sqlite, repeats, total: 20_000, pacedRate: 1_000 },
  { name: 'events in one process', brokers: 1, stores: sqlite, repeats: 3, total: 20_000, pacedRate: 1_000 },
  { name: 'events on MongoDB', brokers: 1, stores: mongodb, repeats: 3, total: 2_000, pacedRate: 100 },
  { name: 'events, three brokers', brokers: 3, stores: sqlite, repeats: 3, total: 20_000, pacedRate: 1_000 },
];

const brokersOf = async (count: Setup['brokers']) => {
  if (count === 1) return testBroker();
  const cluster = await testCluster();
  return { url: cluster.url, stop: () => cluster.stop() };
};

const measure = (setup: Setup): Promise<Repeat> =>
  inDirectory(async (directory) => {
    const { brokers, stores, total, pacedRate } = setup;
    const broker = await brokersOf(brokers);
    const bus = await connectBus({ url: broker.url, service: 'bench', topology: { replicas: brokers } });
    const kept = await stores(directory);
    const consumer: Consumer =
      setup.apart === true
        ? await startConsumerApart(broker.url, `${directory}/consumer.sqlite`)
        : startConsumer(bus, await kept.open('consumer'));
    const path = EventPath.start(bus, await kept.open('producer'), consumer);
    try {
      const bare = await bareRates(bus, total, brokers);
      const storeFloor = await kept.floor?.();
      const perSecond = await sustained(path, total);
      const latencies = await paced(path, setup);
      const { lost, doubled } = await path.mismatch(total + pacedRate * pacedSeconds);
      mustHold(lost === 0 && doubled === 0, () => `${lost} events were lost, ${doubled} handled twice`);
      return {
        bare,
        storeFloor,
        perSecond,
        p50Ms: percentile(latencies, 0.5),
        p99Ms: percentile(latencies, 0.99),
      };
    } finally {
      await bus.drain();
      await path.close();
      await kept.close();
      await broker.stop();
    }
  });

/** Only what is there to be compared with has targets. */
const figuresOf = ({ name, pacedRate }: Setup, results: readonly Repeat[]): readonly Figure[] => {
  const withTargets = name === 'events';
  const bare = (rate: keyof BareRates) => shortNumber(median(results.map((result) => result.bare[rate])));
  const floor = `bare publish ${bare('publishedPerSecond')} /s, consume ${bare('consumedPerSecond')} /s`;
  const shares = results.map((result) => (100 * result.perSecond) / result.bare.publishedPerSecond);
  const quarters = results.map((result) => result.bare.publishedPerSecond / 4);
  const append = results[0]?.storeFloor ?? `durable append ${shortNumber(durableAppendMs())} ms`;
  const target = (value: Target) => (withTargets ? { target: value } : {});
  return [
    {
      measure: `${name}, sustained`,
      unit: '/s',
      values: results.map(({ perSecond }) => perSecond),
      // Or a quarter of bare publish, where the machine itself is slower.
      ...target(atLeast(Math.min(sustainedTarget, median(quarters)))),
      floor,
    },
    { measure: `${name}: share of bare publish`, unit: '%', values: shares },
    {
      measure: `${name}: p50 at ${pacedRate} /s`,
      unit: 'ms',
      values: results.map(({ p50Ms }) => p50Ms),
      ...target(atMost(5)),
      floor: append,
    },
    {
      measure: `${name}: p99 at ${pacedRate} /s`,
      unit: 'ms',
      values: results.map(({ p99Ms }) => p99Ms),
      ...target(atMost(25)),
      floor: append,
    },
  ];
};

export const benchmark: Benchmark = {
  name: 'events',
  title: 'from a durable change to its durable effect in another service',
  run: async ({ note }) => {
    const figures: Figure[] = [];
    for (const setup of setups) {
      const results: Repeat[] = [];
      for (let i = 0; i < setup.repeats; i += 1) {
        const result = await measure(setup);
        results.push(result);
        const { bare, perSecond, p50Ms, p99Ms } = result;
        note(
          `${setup.name}: ${shortNumber(perSecond)} /s of ${shortNumber(bare.publishedPerSecond)} /s bare; ` +
            `p50 ${shortNumber(p50Ms)} ms, p99 ${shortNumber(p99Ms)} ms at ${setup.pacedRate} /s`,
        );
      }
      figures.push(...figuresOf(setup, results));
    }
    return figures;
  },
};
