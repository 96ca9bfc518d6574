/**
 * The event path: a durable change of state with its event, relay, JetStream, consumer with its own durable effect and
 * inbox position. Producer, consumer and both stores are in one process; every commit is fsynced, the broker is not.
 *
 * Sustained: 20,000 changes as fast as they go, of 500 entities in turn; from the first commit to the last effect. Against
 * bare publishes of messages of the same size by the same client, with as many in flight, just before. Paced: 1,000
 * changes a second for five seconds at fixed times, so that a stall counts for all that it delays; from the call of the
 * commit to the end of the effect. Checked: every change has one effect in the consumer's store, none was handled twice.
 */
import { testBroker } from '@millrace/broker';
import { connectBus } from '@millrace/bus';
import { type BareRates, bareRates } from './events/bare.ts';
import { EventPath, entities } from './events/path.ts';
import { atLeast, atMost, type Benchmark, median, mustHold, percentile } from './harness/benchmark.ts';
import { inDirectory } from './harness/embedded.ts';
import { durableAppendMs } from './harness/floors.ts';
import { shortNumber } from './harness/report.ts';

const repeats = 5;
const total = 20_000;
const sustainedTarget = 8_000;
const pacedRate = 1_000;
const pacedSeconds = 5;

/** As fast as it goes: changes of different entities at once, one after another within each. */
const sustained = async (path: EventPath): Promise<number> => {
  const startedAt = performance.now();
  for (let n = 0; n < total; n += entities) {
    await Promise.all(Array.from({ length: Math.min(entities, total - n) }, (_, i) => path.change(n + i)));
  }
  await path.allHandled(total);
  return (total * 1_000) / (performance.now() - startedAt);
};

const paced = async (path: EventPath): Promise<readonly number[]> => {
  path.latencies.length = 0;
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
  return path.latencies;
};

interface Repeat {
  readonly bare: BareRates;
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const measure = (): Promise<Repeat> =>
  inDirectory(async (directory) => {
    const broker = await testBroker();
    const bus = await connectBus({ url: broker.url, service: 'bench' });
    const path = await EventPath.start(bus, directory);
    try {
      const bare = await bareRates(bus, total);
      const perSecond = await sustained(path);
      const latencies = await paced(path);
      const { lost, doubled } = await path.mismatch(total + pacedRate * pacedSeconds);
      mustHold(lost === 0 && doubled === 0, () => `${lost} events were lost, ${doubled} handled twice`);
      return { bare, perSecond, p50Ms: percentile(latencies, 0.5), p99Ms: percentile(latencies, 0.99) };
    } finally {
      await bus.drain();
      await path.close();
      await broker.stop();
    }
  });

export const benchmark: Benchmark = {
  name: 'events',
  title: 'from a durable change to its durable effect in another service',
  run: async ({ note }) => {
    const results: Repeat[] = [];
    for (let i = 0; i < repeats; i += 1) {
      const result = await measure();
      results.push(result);
      const { bare, perSecond, p50Ms, p99Ms } = result;
      note(
        `${shortNumber(perSecond)} /s of ${shortNumber(bare.publishedPerSecond)} /s bare; ` +
          `p50 ${shortNumber(p50Ms)} ms, p99 ${shortNumber(p99Ms)} ms at ${pacedRate} /s`,
      );
    }
    const bare = (rate: keyof BareRates) => shortNumber(median(results.map((result) => result.bare[rate])));
    const floor = `bare publish ${bare('publishedPerSecond')} /s, consume ${bare('consumedPerSecond')} /s`;
    const shares = results.map((result) => (100 * result.perSecond) / result.bare.publishedPerSecond);
    const quarters = results.map((result) => result.bare.publishedPerSecond / 4);
    const append = `durable append ${shortNumber(durableAppendMs())} ms`;
    return [
      {
        measure: 'events, sustained',
        unit: '/s',
        values: results.map(({ perSecond }) => perSecond),
        // Or a quarter of bare publish, where the machine itself is slower.
        target: atLeast(Math.min(sustainedTarget, median(quarters))),
        floor,
      },
      { measure: 'events: share of bare publish', unit: '%', values: shares },
      {
        measure: 'events: p50 at 1,000 /s',
        unit: 'ms',
        values: results.map(({ p50Ms }) => p50Ms),
        target: atMost(5),
        floor: append,
      },
      {
        measure: 'events: p99 at 1,000 /s',
        unit: 'ms',
        values: results.map(({ p99Ms }) => p99Ms),
        target: atMost(25),
        floor: append,
      },
    ];
  },
};
