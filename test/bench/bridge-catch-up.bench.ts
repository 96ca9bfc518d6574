/**
 * How long the bridge takes to bring what gathered in an outage to Kafka: Kafka is killed, 1,000 events a second are
 * published for a minute (`MILLRACE_BENCH_OUTAGE_SECONDS`) on 2,000 entities, and Kafka is started again. Measured from
 * when Kafka listens to when every event is in it. The bridge is a process of its own with a store on disk; Kafka is the
 * release that its tests pin, one broker. Checked: every event is in Kafka, once, in its entity's order.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { testBroker } from '@millrace/broker';
import { BridgeServiceService, type KafkaState } from '@millrace/contracts/bridge';
import { registryEvents } from '@millrace/contracts/registry';
import { PeerChannel } from '@millrace/service-kit';
import { EventOwners } from '../../services/bridge/test/support/event-owners.ts';
import { startKafkaServer } from '../../services/bridge/test/support/kafka-server.ts';
import { censusOf, readTopics } from '../../services/bridge/test/support/read-topics.ts';
import { atMost, type Benchmark, mustHold } from './harness/benchmark.ts';
import { inDirectory } from './harness/embedded.ts';
import { shortNumber } from './harness/report.ts';

const repeats = 3;
const rate = 1_000;
const seconds = Number(process.env.MILLRACE_BENCH_OUTAGE_SECONDS ?? 60);
const entities = 2_000;
const patienceMs = 600_000;

const main = fileURLToPath(new URL('../../services/bridge/src/main.ts', import.meta.url));

const startBridge = async (env: NodeJS.ProcessEnv) => {
  const child = fork(main, { env });
  const ended = once(child, 'exit');
  const [ready] = (await once(child, 'message')) as [{ grpcPort: number }];
  const channel = new PeerChannel('bridge', () => `127.0.0.1:${ready.grpcPort}`);
  const client = channel.service(BridgeServiceService);
  return {
    state: async (): Promise<KafkaState | undefined> => (await client.getKafkaState({})).kafka,
    stop: async () => {
      channel.close();
      child.kill();
      await ended;
    },
  };
};

/** Publishes events at fixed times, each entity's one after another. */
class Publisher {
  readonly published = new Set<string>();
  readonly #owners: EventOwners;
  readonly #last = new Map<string, Promise<void>>();
  #count = 0;

  constructor(owners: EventOwners) {
    this.#owners = owners;
  }

  async publish(count: number): Promise<void> {
    const startedAt = performance.now();
    for (let sent = 0; sent < count; ) {
      const due = Math.min(count, Math.floor(((performance.now() - startedAt) / 1_000) * rate));
      for (; sent < due; sent += 1) this.#next();
      await sleep(5);
    }
    await Promise.all(this.#last.values());
  }

  #next(): void {
    const key = `model/alias-${this.#count % entities}`;
    const sequence = Math.floor(this.#count / entities) + 1;
    this.#count += 1;
    this.published.add(`registry.alias/${key}#${sequence}`);
    const data = registryEvents.aliasMoved.codec.fromJSON({ move: { alias: key, toVersion: sequence } });
    const before = this.#last.get(key) ?? Promise.resolve();
    this.#last.set(
      key,
      before.then(() => this.#owners.publish(registryEvents.aliasMoved, key, data)),
    );
  }
}

const measure = (env: NodeJS.ProcessEnv): Promise<number> =>
  inDirectory(async (directory) => {
    const broker = await testBroker();
    const kafka = await startKafkaServer();
    const owners = new EventOwners(directory, broker.url);
    const bridge = await startBridge({
      ...env,
      NATS_URL: broker.url,
      MILLRACE_DATA_DIR: directory,
      MILLRACE_GRPC_PORT: '0',
      MILLRACE_HTTP_PORT: '0',
      MILLRACE_LOG_LEVEL: 'silent',
      MILLRACE_KAFKA_BROKERS: kafka.broker,
      OTEL_SDK_DISABLED: 'true',
    });
    const delivered = async () => {
      const deadline = performance.now() + patienceMs;
      for (;;) {
        const state = await bridge.state();
        if (state?.lag === 0 && state.connected && (await owners.pending()) === 0) return;
        mustHold(performance.now() < deadline, () => `${state?.lag} events are still not in Kafka`);
        await sleep(50);
      }
    };
    try {
      const publisher = new Publisher(owners);
      await publisher.publish(rate);
      await delivered();
      await kafka.kill();
      await publisher.publish(rate * seconds);
      await kafka.restart();
      const startedAt = performance.now();
      await delivered();
      const tookMs = performance.now() - startedAt;
      const census = censusOf(await readTopics(kafka.broker, 'millrace.events'), publisher.published);
      const { missing, doubled, disordered } = census;
      mustHold(
        missing === 0 && doubled === 0 && disordered === 0,
        () => `${missing} events are missing in Kafka, ${doubled} doubled, ${disordered} out of order`,
      );
      return tookMs;
    } finally {
      await bridge.stop();
      await owners.close();
      await kafka.remove();
      await broker.stop();
    }
  });

export const benchmark: Benchmark = {
  name: 'bridge-catch-up',
  title: `from the end of an outage of Kafka of ${seconds} s to the last of ${rate * seconds} events in it`,
  run: async ({ env, note }) => {
    const times: number[] = [];
    for (let i = 0; i < repeats; i += 1) {
      const tookMs = await measure(env);
      times.push(tookMs);
      note(`${shortNumber(tookMs / 1_000)} s, ${shortNumber((rate * seconds * 1_000) / tookMs)} events/s`);
    }
    return [
      {
        measure: 'bridge: catch-up after an outage',
        unit: 's',
        values: times.map((ms) => ms / 1_000),
        target: atMost(30),
      },
      {
        measure: 'bridge: events while catching up',
        unit: '/s',
        values: times.map((ms) => (rate * seconds * 1_000) / ms),
      },
    ];
  },
};
