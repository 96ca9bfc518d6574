import { type TestBroker, testBroker } from '@millrace/broker';
import { createRandom } from '@millrace/random';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { eventually, pause, until } from '../support/wait.ts';
import { measureResources } from './support/resources.ts';
import { Trial, testSeed } from './support/trial.ts';

/** Longest part of an outage, milliseconds. */
const outageMs = 3_000;

let broker: TestBroker;
let trial: Trial;

beforeAll(async () => {
  broker = await testBroker();
  trial = await Trial.start({
    fault: 'F2',
    title: 'broker killed, stopped and hung',
    seed: testSeed,
    natsUrl: broker.url,
  });
});

afterAll(async () => {
  await trial?.stop();
  await broker?.stop();
});

const pendingOf = async (): Promise<number> => {
  const { outbox } = await measureResources(trial.millrace);
  return Object.values(outbox).reduce((sum, pending) => sum + pending, 0);
};

const untilDegraded = () =>
  until('degraded health', async () => {
    const { registry, pipeline } = await trial.millrace.client.status();
    return registry?.problems.bus !== undefined && pipeline?.ready === false ? true : undefined;
  });

/** While the broker is away: writes and submissions are acknowledged and wait in the outboxes. */
const expectWorkGoesOn = async (): Promise<void> => {
  const before = trial.history.numbers('audited policy', 'acknowledged').length;
  const waiting = await pendingOf();
  await trial.submit();
  await until('acknowledged writes', () =>
    trial.history.numbers('audited policy', 'acknowledged').length >= before + 5 ? true : undefined,
  );
  await eventually('a growing outbox', async () => expect(await pendingOf()).toBeGreaterThan(waiting + 4));
};

const outages = [
  {
    name: 'kill -9',
    begin: () => broker.kill(),
    end: () => broker.start(),
  },
  {
    name: 'graceful stop',
    begin: () => broker.server.stop(),
    end: () => broker.start(),
  },
] as const;

test.each(outages)(
  'work goes on without the broker after a $name, and what waited drains',
  async (outage) => {
    const random = createRandom(testSeed).derive(outage.name);
    const run = trial.during(() =>
      trial.run(async () => {
        await pause(random.uniform() * 1_000);
        trial.inject(`${outage.name} of the broker`);
        await outage.begin();
        await untilDegraded();
        await expectWorkGoesOn();
        await pause(random.uniform() * outageMs);
        await outage.end();
        trial.heal('the broker is back');
        await trial.recover();
      }),
    );
    expect((await run).state).toBe('RUN_STATE_SUCCEEDED');
    await eventually('the outboxes to drain', async () => expect(await pendingOf()).toBe(0));
  },
);

test('a broker that hangs holds up no write, and nothing twice comes of it', async () => {
  const random = createRandom(testSeed).derive('hang');
  await trial.during(() =>
    trial.run(async () => {
      await pause(random.uniform() * 1_000);
      trial.inject('SIGSTOP broker');
      process.kill(broker.server.pid, 'SIGSTOP');
      try {
        await expectWorkGoesOn();
        // Longer than an ack is waited for.
        await pause(5_500);
      } finally {
        process.kill(broker.server.pid, 'SIGCONT');
      }
      trial.heal('SIGCONT broker');
      await trial.recover();
    }),
  );
});

test('nothing is lost, doubled, out of order or left undone', async () => {
  await trial.check();
});
