import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type TestBroker, testBroker } from '@millrace/broker';
import { BridgeServiceService, type KafkaState } from '@millrace/contracts/bridge';
import type { AliasMoved } from '@millrace/contracts/registry';
import { registryEvents } from '@millrace/contracts/registry';
import { trainingEvents } from '@millrace/contracts/training';
import { PeerChannel } from '@millrace/service-kit';
import { vi } from 'vitest';
import { EventOwners } from './event-owners.ts';
import { type Census, censusOf, readTopics } from './read-topics.ts';

/** A bridge as a process of its own. */
export interface BridgeProcess {
  readonly child: ChildProcess;
  readonly httpPort: number;
  state(): Promise<KafkaState>;
  /** SIGKILL */
  kill(): Promise<void>;
  /** SIGTERM, as an operator ends it. */
  stop(): Promise<void>;
}

export interface KafkaLabOptions {
  /** `host:port` of Kafka. */
  readonly kafka: string;
  /** Begins the names of this lab's topics, so that several can share a Kafka. */
  readonly prefix: string;
  /** More variables for the bridge. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A bus with services that publish on it, and bridges to a Kafka. */
export interface KafkaLab {
  readonly broker: TestBroker;
  readonly owners: EventOwners;
  readonly dataDir: string;
  readonly prefix: string;
  /** `entity#sequence` of what was published. */
  readonly published: ReadonlySet<string>;
  /** Publishes `count` events on two services, over `entities` entities of each. */
  publish(count: number, entities?: number): Promise<void>;
  startBridge(env?: Readonly<Record<string, string>>): Promise<BridgeProcess>;
  census(): Promise<Census>;
  stop(): Promise<void>;
}

export const eventually = <T>(check: () => T | Promise<T>, timeout = 60_000): Promise<T> =>
  vi.waitFor(check, { timeout, interval: 100 });

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export const startKafkaLab = async ({ kafka, prefix, env = {} }: KafkaLabOptions): Promise<KafkaLab> => {
  const dataDir = await mkdtemp(join(tmpdir(), 'millrace-bridge-'));
  const broker = await testBroker();
  const owners = new EventOwners(dataDir, broker.url);
  const published = new Set<string>();
  const sequences = new Map<string, number>();
  const bridges = new Set<BridgeProcess>();
  const common = {
    ...process.env,
    MILLRACE_GRPC_PORT: '0',
    MILLRACE_HTTP_PORT: '0',
    MILLRACE_DATA_DIR: dataDir,
    NATS_URL: broker.url,
    MILLRACE_LOG_LEVEL: process.env.MILLRACE_LOG_LEVEL ?? 'silent',
    OTEL_SDK_DISABLED: 'true',
    MILLRACE_KAFKA_BROKERS: kafka,
    MILLRACE_KAFKA_TOPIC_PREFIX: prefix,
    MILLRACE_KAFKA_PARTITIONS: '3',
    ...env,
  };
  let number = 0;
  const publishOne = async (entities: number) => {
    const key = `flights/alias-${number % entities}`;
    const isRegistry = number % 2 === 0;
    number += 1;
    const entity = isRegistry ? `registry.alias/${key}` : `training.run/${key}`;
    const sequence = (sequences.get(entity) ?? 0) + 1;
    sequences.set(entity, sequence);
    published.add(`${entity}#${sequence}`);
    if (isRegistry) await owners.publish(registryEvents.aliasMoved, key, aliasMoved(sequence));
    else await owners.publish(trainingEvents.runStarted, key, trainingEvents.runStarted.codec.fromJSON({}));
  };
  return {
    broker,
    owners,
    dataDir,
    prefix,
    published,
    publish: async (count, entities = 16) => {
      for (let left = count; left > 0; left -= Math.min(left, entities)) {
        // One of each entity at a time: their order is that of the sequence.
        await Promise.all(Array.from({ length: Math.min(left, entities) }, () => publishOne(entities)));
      }
    },
    startBridge: async (more = {}) => {
      const bridge = await startBridge({ ...common, ...more }, bridges);
      bridges.add(bridge);
      return bridge;
    },
    census: async () => censusOf(await readTopics(kafka, prefix), published),
    stop: async () => {
      for (const bridge of bridges) await bridge.kill();
      await owners.close();
      await broker.stop();
      await rm(dataDir, { recursive: true, force: true });
    },
  };
};

const aliasMoved = (version: number): AliasMoved =>
  registryEvents.aliasMoved.codec.fromJSON({
    move: { model: 'flights', alias: 'champion', toVersion: version },
    modelDigest: `sha256:${'0'.repeat(64)}`,
  });

const startBridge = async (env: NodeJS.ProcessEnv, running: Set<BridgeProcess>): Promise<BridgeProcess> => {
  const execArgv = ['--disable-warning=ExperimentalWarning'];
  const child = fork(main, { env, execArgv });
  const ended = once(child, 'exit');
  const failed = ended.then(([code]) => {
    throw new Error(`the bridge ended with code ${code} before it was ready`);
  });
  failed.catch(() => {});
  const [ready] = (await Promise.race([once(child, 'message'), failed])) as [
    { grpcPort: number; httpPort: number },
  ];
  const channel = new PeerChannel('bridge', () => `127.0.0.1:${ready.grpcPort}`);
  const client = channel.service(BridgeServiceService);
  const end = async (signal: NodeJS.Signals) => {
    running.delete(bridge);
    channel.close();
    child.kill(signal);
    await ended;
  };
  const bridge: BridgeProcess = {
    child,
    httpPort: ready.httpPort,
    state: async () => {
      const { kafka } = await client.getKafkaState({});
      if (kafka === undefined) throw new Error('the bridge gave no state');
      return kafka;
    },
    kill: () => end('SIGKILL'),
    stop: () => end('SIGTERM'),
  };
  return bridge;
};
