import { type TestBroker, testBroker } from '@millrace/broker';
import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { metricSum } from '../support/metrics.ts';
import { NatsProxy } from './support/nats-proxy.ts';
import { isThorough, Trial, testSeed } from './support/trial.ts';

const reconcileMs = 3_000;
const share = 0.01;
const runs = isThorough ? 40 : 4;
/** Of the rarest luck: so many are lost at least. */
const fewest = 3;

let broker: TestBroker;
let proxy: NatsProxy;
let trial: Trial;

beforeAll(async () => {
  broker = await testBroker();
  proxy = await NatsProxy.start(broker.url);
  trial = await Trial.start({
    fault: 'F9',
    title: `${share * 100} % of the deliveries lost`,
    seed: testSeed,
    natsUrl: proxy.url,
    env: { MILLRACE_RECONCILE_MS: String(reconcileMs) },
  });
});

afterAll(async () => {
  await trial?.stop();
  proxy?.close();
  await broker?.stop();
});

test('what the broker believes to be handled and never came is fetched from its owner', async () => {
  const random = createRandom(testSeed).derive('lost');
  trial.inject(`${share * 100} % of all deliveries are lost and acknowledged`);
  proxy.tamper(() => (random.uniform() < share ? { kind: 'lose' } : { kind: 'pass' }));
  let done = 0;
  while (done < runs || proxy.counts.lose < fewest) {
    expect((await trial.during(() => trial.run())).state).toBe('RUN_STATE_SUCCEEDED');
    done += 1;
  }
  proxy.tamper(undefined);
  trial.heal('nothing more is lost');
  await trial.recover();
});

test('nothing is missing in any projection, and the refills are counted', async () => {
  await trial.check();
  const refilled = await metricSum(trial.millrace, 'millrace_bus_events_refilled');
  console.log(`F9: ${proxy.counts.lose} deliveries lost, ${refilled} events refilled`);
  expect(refilled).toBeGreaterThanOrEqual(1);
});
