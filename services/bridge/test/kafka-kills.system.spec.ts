import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '@millrace/random';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type BridgeProcess, eventually, type KafkaLab, startKafkaLab } from './support/kafka-lab.ts';
import { type KafkaServer, startKafkaServer } from './support/kafka-server.ts';

/** Kills of each kind; a longer run by `MILLRACE_TEST_KAFKA_KILLS=100`. */
const kills = Number(process.env.MILLRACE_TEST_KAFKA_KILLS ?? 2);
const seed = Number(process.env.MILLRACE_TEST_SEED ?? 42);
const timeout = 120_000 + kills * 15_000;

let kafka: KafkaServer;
beforeAll(async () => {
  kafka = await startKafkaServer();
}, 300_000);
afterAll(() => kafka.remove());

/** Publishes all the time until it is told to stop. */
const publishOn = (lab: KafkaLab) => {
  let stopped = false;
  const publishing = (async () => {
    while (!stopped) {
      await lab.publish(32);
      await sleep(20);
    }
  })();
  publishing.catch(() => {});
  return async () => {
    stopped = true;
    await publishing;
  };
};

const delivered = async (lab: KafkaLab, bridge: () => BridgeProcess): Promise<void> => {
  await eventually(async () => expect(await lab.owners.pending()).toBe(0));
  await eventually(async () => {
    const state = await bridge().state();
    expect(state).toMatchObject({ lag: 0, forwarding: 'KAFKA_FORWARDING_ON' });
  });
};

const pause = (random: Random, mostMs: number) => sleep(random.uniform() * mostMs);

/**
 * Stops a bridge at a moment when it does not hold the lock of the file that both keep their store in, as it could not
 * keep another from a store that serves many.
 */
const stopOutsideTransaction = async ({ child }: BridgeProcess, file: string): Promise<void> => {
  for (;;) {
    child.kill('SIGSTOP');
    const store = new DatabaseSync(file, { timeout: 500 });
    try {
      store.exec('BEGIN IMMEDIATE; ROLLBACK');
      return;
    } catch {
      child.kill('SIGCONT');
      await sleep(20);
    } finally {
      store.close();
    }
  }
};

const report = (name: string, facts: object) =>
  process.stdout.write(`${name}, seed ${seed}: ${JSON.stringify(facts)}\n`);

it('kill -9 of the bridge at any moment loses and doubles nothing', { timeout }, async () => {
  const random = createRandom(seed).derive('bridge');
  const lab = await startKafkaLab({ kafka: kafka.broker, prefix: 'bridge-kills' });
  try {
    let bridge = await lab.startBridge();
    const stop = publishOn(lab);
    for (let count = 0; count < kills; count += 1) {
      const before = (await bridge.state()).topics.reduce((sum, { forwarded }) => sum + forwarded, 0);
      // Some die while they begin, others at work.
      if (random.uniform() < 0.7) {
        await eventually(async () => {
          const { topics } = await bridge.state();
          expect(topics.reduce((sum, { forwarded }) => sum + forwarded, 0)).toBeGreaterThan(before);
        });
      }
      await pause(random, 400);
      await bridge.kill();
      bridge = await lab.startBridge();
    }
    await stop();
    await delivered(lab, () => bridge);
    const census = await lab.census();
    report('kill -9 of the bridge', { kills, published: lab.published.size, ...census });
    expect(census).toEqual({ found: lab.published.size, missing: 0, doubled: 0, disordered: 0 });
  } finally {
    await lab.stop();
  }
});

it('kill -9 and pauses of Kafka lose and double nothing', { timeout }, async () => {
  const random = createRandom(seed).derive('kafka');
  const lab = await startKafkaLab({ kafka: kafka.broker, prefix: 'kafka-kills' });
  try {
    const bridge = await lab.startBridge();
    const stop = publishOn(lab);
    await eventually(async () => expect(await bridge.state()).toMatchObject({ connected: true }));
    const faults = { kills: 0, pauses: 0 };
    for (let count = 0; count < kills; count += 1) {
      await pause(random, 800);
      if (random.uniform() < 0.3) {
        kafka.pause();
        await pause(random, 3_000);
        kafka.resume();
        faults.pauses += 1;
      } else {
        await kafka.kill();
        await pause(random, 1_000);
        await kafka.restart();
        faults.kills += 1;
      }
    }
    await stop();
    await delivered(lab, () => bridge);
    const census = await lab.census();
    report('kill -9 of Kafka', { ...faults, published: lab.published.size, ...census });
    expect(census).toEqual({ found: lab.published.size, missing: 0, doubled: 0, disordered: 0 });
  } finally {
    await lab.stop();
  }
});

it('both killed in turn lose and double nothing', { timeout }, async () => {
  const random = createRandom(seed).derive('both');
  const lab = await startKafkaLab({ kafka: kafka.broker, prefix: 'both-killed' });
  try {
    let bridge = await lab.startBridge();
    const stop = publishOn(lab);
    for (let count = 0; count < Math.ceil(kills / 2); count += 1) {
      await pause(random, 1_500);
      await Promise.all([kafka.kill(), bridge.kill()]);
      [bridge] = await Promise.all([lab.startBridge(), pause(random, 1_000).then(() => kafka.restart())]);
    }
    await stop();
    await delivered(lab, () => bridge);
    const census = await lab.census();
    report('kill -9 of both', { kills: Math.ceil(kills / 2), published: lab.published.size, ...census });
    expect(census).toEqual({ found: lab.published.size, missing: 0, doubled: 0, disordered: 0 });
  } finally {
    await lab.stop();
  }
});

it('of two bridges one forwards, and one that wakes from a long pause sends nothing twice', {
  timeout,
}, async () => {
  const random = createRandom(seed).derive('two');
  const lab = await startKafkaLab({
    kafka: kafka.broker,
    prefix: 'two-bridges',
    env: { MILLRACE_KAFKA_LEASE_MS: '3000' },
  });
  try {
    const bridges = [await lab.startBridge(), await lab.startBridge()];
    const stop = publishOn(lab);
    const pauses = Math.floor(kills / 2);
    for (let count = 0; count < pauses; count += 1) {
      const holder = await eventually(async () => {
        const states = await Promise.all(bridges.map((bridge) => bridge.state()));
        expect(states.map(({ forwarding }) => forwarding).sort()).toEqual([
          'KAFKA_FORWARDING_ON',
          'KAFKA_FORWARDING_STANDBY',
        ]);
        return states.findIndex(({ forwarding }) => forwarding === 'KAFKA_FORWARDING_ON');
      });
      const [paused, other] = [bridges[holder] as BridgeProcess, bridges[1 - holder] as BridgeProcess];
      await pause(random, 500);
      await stopOutsideTransaction(paused, join(lab.dataDir, 'bridge', 'store.sqlite'));
      await eventually(async () =>
        expect(await other.state()).toMatchObject({ forwarding: 'KAFKA_FORWARDING_ON' }),
      );
      paused.child.kill('SIGCONT');
    }
    await stop();
    const last = bridges[0] as BridgeProcess;
    await eventually(async () => expect(await lab.owners.pending()).toBe(0));
    await eventually(
      async () => expect(await last.state()).toMatchObject({ lag: 0, connected: true }),
      90_000,
    );
    const census = await lab.census();
    const { epoch } = await last.state();
    report('two bridges', { pauses, epoch, published: lab.published.size, ...census });
    expect(census).toEqual({ found: lab.published.size, missing: 0, doubled: 0, disordered: 0 });
  } finally {
    await lab.stop();
  }
});
