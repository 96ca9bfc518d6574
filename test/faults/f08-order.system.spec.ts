import { type TestBroker, testBroker } from '@millrace/broker';
import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/wait.ts';
import { NatsProxy } from './support/nats-proxy.ts';
import { Trial, testSeed } from './support/trial.ts';

let broker: TestBroker;
let proxy: NatsProxy;
let trial: Trial;

beforeAll(async () => {
  broker = await testBroker();
  proxy = await NatsProxy.start(broker.url);
  trial = await Trial.start({
    fault: 'F8',
    title: 'reordered and late events',
    seed: testSeed,
    natsUrl: proxy.url,
  });
});

afterAll(async () => {
  await trial?.stop();
  proxy?.close();
  await broker?.stop();
});

const shuffleMs = 250;
/** Beyond the time after which the broker delivers an event again. */
const lateMs = 6_000;
const lateShare = 0.02;

const shuffle = () => {
  const random = createRandom(testSeed).derive('order');
  trial.inject(`every delivery is held for up to ${shuffleMs} ms, some for ${lateMs} ms`);
  proxy.tamper(() => ({
    kind: 'delay',
    ms: random.uniform() < lateShare ? lateMs : random.uniform() * shuffleMs,
  }));
};

test('a shuffled run ends as one in order does', async () => {
  shuffle();
  for (let run = 0; run < 2; run += 1) {
    expect((await trial.during(() => trial.run())).state).toBe('RUN_STATE_SUCCEEDED');
  }
  expect(proxy.counts.delay).toBeGreaterThan(100);
});

test('what is deleted while its making is still on the way is not raised from the dead', async () => {
  const { client } = trial.millrace;
  const run = await trial.run();
  const endpoint = run.project?.project ?? '';
  await client.deployment.deleteEndpoint({ name: endpoint });
  // The registry's and the monitor's share of the deletion comes by events.
  await eventually('the deletion everywhere', async () => {
    const { endpoints } = await client.deployment.listEndpoints({});
    expect(endpoints.map(({ name }) => name)).not.toContain(endpoint);
    const { monitors } = await client.monitoring.listMonitors({});
    expect(monitors.map((monitor) => monitor.endpoint)).not.toContain(endpoint);
  });
  proxy.tamper(undefined);
  trial.heal('no more delays');
  await trial.recover();
});

test('nothing is lost, doubled or left from what was deleted', async () => {
  await trial.check();
  console.log(`F8: ${proxy.counts.delay} deliveries held back`);
});
