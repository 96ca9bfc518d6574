import { type TestBroker, testBroker } from '@millrace/broker';
import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { metricSum } from '../support/metrics.ts';
import { republishEvents, untilHandled } from '../support/stream.ts';
import { NatsProxy } from './support/nats-proxy.ts';
import { Trial, testSeed } from './support/trial.ts';

let broker: TestBroker;
let proxy: NatsProxy;
let trial: Trial;

beforeAll(async () => {
  broker = await testBroker();
  proxy = await NatsProxy.start(broker.url);
  trial = await Trial.start({
    fault: 'F7',
    title: 'duplicated events',
    seed: testSeed,
    natsUrl: proxy.url,
  });
});

afterAll(async () => {
  await trial?.stop();
  proxy?.close();
  await broker?.stop();
});

const share = 0.4;
const longestMs = 500;

test('events that are delivered twice, as they are or under another id, take effect once', async () => {
  const random = createRandom(testSeed).derive('duplicates');
  let copies = 0;
  trial.inject(`${share * 100} % of all deliveries come twice`);
  proxy.tamper(() => {
    if (random.uniform() >= share) return { kind: 'pass' };
    const afterMs = random.uniform() * longestMs;
    copies += 1;
    return random.uniform() < 0.5
      ? { kind: 'repeat', afterMs }
      : { kind: 'repeat', afterMs, id: `copy-${copies}` };
  });
  for (let run = 0; run < 2; run += 1) {
    expect((await trial.during(() => trial.run())).state).toBe('RUN_STATE_SUCCEEDED');
  }
  proxy.tamper(undefined);
  trial.heal('no more copies');
  await trial.recover();
  expect(proxy.counts.repeat).toBeGreaterThan(50);
});

test('the whole stream published again takes no effect', async () => {
  const { bus } = trial.millrace.log;
  await untilHandled(bus);
  trial.inject('every event published again, unknown to the broker');
  const { published, added } = await republishEvents(bus, (messages) => messages, { anew: true });
  expect(added).toBe(published);
  trial.heal('published');
  await trial.recover();
});

test('nothing happened twice', async () => {
  await trial.check({ repeatedEvents: true });
  const counted = await metricSum(trial.millrace, 'millrace_bus_events_duplicate');
  console.log(`F7: ${proxy.counts.repeat} deliveries repeated, ${counted} events counted as duplicates`);
  expect(counted).toBeGreaterThan(50);
});
