import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bus, connectBus, listDeadLetters, rebuildIfLost } from '@millrace/bus';
import { createCertificates, tlsFilesIn } from '@millrace/certificates';
import { defineEvent } from '@millrace/contracts';
import { registryEvents } from '@millrace/contracts/registry';
import { headers } from '@nats-io/transport-node';
import { type Admin, Kafka, logLevel } from 'kafkajs';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { type BridgeProcess, eventually, type KafkaLab, startKafkaLab } from './support/kafka-lab.ts';
import { type KafkaServer, startKafkaServer } from './support/kafka-server.ts';
import { headerOf, readTopics } from './support/read-topics.ts';

const password = 'not-to-be-seen-anywhere';
let directory: string;
let kafka: KafkaServer;
let admin: Admin;
let lab: KafkaLab;
let bus: Bus;
let labs = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-kafka-tls-'));
  await createCertificates({ directory, services: ['bridge'], now: new Date() });
  const server = tlsFilesIn(directory, 'nats');
  const [certificate, key] = await Promise.all([
    readFile(server.certificate, 'utf8'),
    readFile(server.key, 'utf8'),
  ]);
  kafka = await startKafkaServer({ certificate, key, user: 'bridge', password });
  const retry = { retries: 30, initialRetryTime: 100, maxRetryTime: 1_000 };
  admin = new Kafka({ brokers: [kafka.broker], logLevel: logLevel.NOTHING, retry }).admin();
  await admin.connect();
}, 300_000);
afterAll(async () => {
  await admin.disconnect();
  await kafka.remove();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(async () => {
  labs += 1;
  lab = await startKafkaLab({ kafka: kafka.broker, prefix: `outage-${labs}` });
  bus = await connectBus({ url: lab.broker.url, service: 'testing' });
});
afterEach(async () => {
  await bus.drain();
  await lab.stop();
});

const delivered = async (bridge: BridgeProcess): Promise<void> => {
  await eventually(async () => expect(await lab.owners.pending()).toBe(0));
  await eventually(async () =>
    expect(await bridge.state()).toMatchObject({ lag: 0, forwarding: 'KAFKA_FORWARDING_ON' }),
  );
};
const expectExactlyOnce = async (): Promise<void> =>
  expect(await lab.census()).toEqual({ found: lab.published.size, missing: 0, doubled: 0, disordered: 0 });

const health = async ({ httpPort }: BridgeProcess) => {
  const ready = await fetch(`http://127.0.0.1:${httpPort}/health/ready`);
  const live = await fetch(`http://127.0.0.1:${httpPort}/health/live`);
  return { ready: ready.status, problems: await ready.text(), live: live.status };
};

const whileKafkaIsAway = async (work: () => Promise<void>): Promise<void> => {
  await kafka.kill();
  try {
    await work();
  } finally {
    await kafka.restart();
  }
};

it('a Kafka that is away at the start is waited for', async () => {
  let bridge: BridgeProcess | undefined;
  await whileKafkaIsAway(async () => {
    await lab.publish(200);
    const started = await lab.startBridge();
    bridge = started;
    await eventually(async () => {
      const state = await started.state();
      expect(state).toMatchObject({ forwarding: 'KAFKA_FORWARDING_WAITING', connected: false, lag: 200 });
      expect(state.errors[0]?.message).toContain('connect');
      const degraded = await health(started);
      expect(degraded).toMatchObject({ ready: 503, live: 200 });
      expect(degraded.problems).toContain('events wait');
    });
  });
  if (bridge === undefined) throw new Error('not started');
  await delivered(bridge);
  expect(await health(bridge)).toMatchObject({ ready: 200, live: 200 });
  await expectExactlyOnce();
});

it('events of an outage are sent after it, and the outage is told once', async () => {
  const bridge = await lab.startBridge();
  await lab.publish(100);
  await delivered(bridge);
  await whileKafkaIsAway(async () => {
    await lab.publish(1_000, 100);
    await eventually(async () =>
      expect(await bridge.state()).toMatchObject({ forwarding: 'KAFKA_FORWARDING_WAITING' }),
    );
    const { lag, lagSeconds } = await bridge.state();
    expect(lag).toBeGreaterThanOrEqual(1_000);
    expect(lagSeconds).toBeGreaterThan(0);
  });
  await delivered(bridge);
  await expectExactlyOnce();
  const own = await eventually(async () => {
    const types = (await readTopics(kafka.broker, `${lab.prefix}.bridge`)).map((record) =>
      headerOf(record, 'ce_type'),
    );
    expect(types.length).toBeGreaterThanOrEqual(3);
    return types;
  });
  expect(own).toEqual([
    'millrace.bridge.kafka.connected.v1',
    'millrace.bridge.kafka.failed.v1',
    'millrace.bridge.kafka.connected.v1',
  ]);
  const metrics = await (await fetch(`http://127.0.0.1:${bridge.httpPort}/metrics`)).text();
  expect(metrics).toMatch(/millrace_kafka_forwarded\S*\{[^}]*registry[^}]*\} 550\b/);
});

it('a topic that somebody deletes is made again', async () => {
  const bridge = await lab.startBridge();
  await lab.publish(60);
  await delivered(bridge);
  await admin.deleteTopics({ topics: [`${lab.prefix}.registry`] });
  await lab.publish(60);
  await delivered(bridge);
  const registry = await readTopics(kafka.broker, `${lab.prefix}.registry`);
  expect(registry).toHaveLength(30);
  expect(await lab.census()).toMatchObject({ missing: 30, doubled: 0, disordered: 0 });
});

it('what Kafka can never take is a dead letter, and its entity goes on', async () => {
  const configEntries = [{ name: 'max.message.bytes', value: '3000' }];
  const topic = { topic: `${lab.prefix}.registry`, numPartitions: 1, replicationFactor: 1, configEntries };
  await admin.createTopics({ topics: [topic] });
  const moved = (alias: string) =>
    registryEvents.aliasMoved.codec.fromJSON({ move: { model: 'flights', alias, toVersion: 1 } });
  const publish = (key: string, alias = key) =>
    lab.owners.publish(registryEvents.aliasMoved, key, moved(alias));
  await Promise.all([publish('a'), publish('b'), publish('huge', 'x'.repeat(4_000)), publish('c')]);
  await publish('huge');
  const nonsense = headers();
  for (const [name, value] of Object.entries({
    'ce-specversion': '1.0',
    'ce-id': 'nonsense-1',
    'ce-type': registryEvents.aliasMoved.type,
    'ce-source': '/millrace/registry',
    'ce-subject': 'nonsense',
    'ce-time': new Date().toISOString(),
    'ce-sequence': '1',
    'ce-millraceentity': 'registry.alias/nonsense',
  })) {
    nonsense.set(name, value);
  }
  await bus.internals.ensureStreams();
  await bus.internals.js.publish(registryEvents.aliasMoved.subject, '{"half":', { headers: nonsense });
  await bus.internals.js.publish(registryEvents.aliasMoved.subject, 'a stray without headers');
  const bridge = await lab.startBridge();
  await delivered(bridge);
  const keys = (await readTopics(kafka.broker, `${lab.prefix}.registry`)).map(({ key }) => String(key));
  expect(keys.sort()).toEqual(['a', 'b', 'c', 'huge'].map((key) => `registry.alias/${key}`));
  const letters = await listDeadLetters(bus, { consumer: 'bridge-kafka' });
  expect(letters.map(({ reason }) => reason).sort()).toEqual([
    'Kafka: MESSAGE_TOO_LARGE',
    'ce-sequence: is missing',
    'the body is not JSON',
  ]);
  expect((await bridge.state()).rejected).toBe(2);
});

it('a stream made anew, with other numbers, sends nothing twice', async () => {
  const first = await lab.startBridge();
  await lab.publish(300);
  await delivered(first);
  await first.stop();
  await lab.publish(100);
  await eventually(async () => expect(await lab.owners.pending()).toBe(0));
  await bus.internals.jsm.streams.delete('EVENTS');
  await bus.internals.ensureStreams();
  for (const service of ['training', 'registry']) {
    const { bus: ownersBus, store } = await lab.owners.open(service);
    expect(await rebuildIfLost({ bus: ownersBus, outbox: store.outbox })).toBeGreaterThan(0);
  }
  await lab.publish(100);
  await delivered(await lab.startBridge());
  await expectExactlyOnce();
});

it('events of a type that is not known yet go to a topic of their own', async () => {
  const codec = registryEvents.aliasMoved.codec;
  const happened = defineEvent('millrace.newcomer.thing.happened.v1', codec);
  await lab.owners.publish(happened, 'one', codec.fromJSON({ modelDigest: 'x' }));
  await delivered(await lab.startBridge());
  const [record] = await readTopics(kafka.broker, `${lab.prefix}.newcomer`);
  expect(headerOf(record ?? {}, 'ce_type')).toBe(happened.type);
});

it('TLS and SASL are spoken, and the password shows nowhere', async () => {
  const secured = {
    MILLRACE_KAFKA_BROKERS: kafka.securedBroker,
    MILLRACE_KAFKA_TLS: 'true',
    MILLRACE_KAFKA_TLS_CA: tlsFilesIn(directory, 'bridge').ca,
    MILLRACE_KAFKA_SASL_MECHANISM: 'plain',
    MILLRACE_KAFKA_SASL_USERNAME: 'bridge',
    MILLRACE_KAFKA_SASL_PASSWORD: password,
    MILLRACE_LOG_LEVEL: 'trace',
  };
  await lab.publish(50);
  const log = join(lab.dataDir, 'bridge.log');
  const wrong = await lab.startBridge({
    ...secured,
    MILLRACE_LOG_FILE: log,
    MILLRACE_KAFKA_SASL_PASSWORD: `${password}-wrong`,
  });
  await eventually(async () => {
    const { errors } = await wrong.state();
    expect(errors.map(({ message }) => message).join()).toContain('SASL');
  });
  const seen = [await readFile(log, 'utf8'), JSON.stringify(await wrong.state())];
  await wrong.kill();
  const bridge = await lab.startBridge({ ...secured, MILLRACE_LOG_FILE: log });
  await delivered(bridge);
  await expectExactlyOnce();
  seen.push(await readFile(log, 'utf8'), JSON.stringify(await bridge.state()));
  expect(seen.join()).not.toContain(password);
});
