import { messageOf } from '@millrace/errors';
import { GenericContainer, getContainerRuntimeClient, type StartedTestContainer } from 'testcontainers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startKafkaLab } from './support/kafka-lab.ts';
import { freePort, versionOfKafka } from './support/kafka-server.ts';

/** Why no container can be started here; `undefined` when one can. */
const obstacle = await getContainerRuntimeClient().then(
  () => undefined,
  (thrown: unknown) => `no Docker engine answers: ${messageOf(thrown)}`,
);

const describeInContainer = (): void => {
  let container: StartedTestContainer;
  let kafka: string;

  beforeAll(async () => {
    // A broker tells its clients where it is reached, so its port must be known before it starts.
    const port = await freePort();
    kafka = `127.0.0.1:${port}`;
    container = await new GenericContainer(`apache/kafka:${await versionOfKafka()}`)
      .withExposedPorts({ container: 9092, host: port })
      .withEnvironment({
        KAFKA_NODE_ID: '1',
        KAFKA_PROCESS_ROLES: 'broker,controller',
        KAFKA_LISTENERS: 'PLAINTEXT://:9092,CONTROLLER://:9093',
        KAFKA_ADVERTISED_LISTENERS: `PLAINTEXT://${kafka}`,
        KAFKA_CONTROLLER_LISTENER_NAMES: 'CONTROLLER',
        KAFKA_LISTENER_SECURITY_PROTOCOL_MAP: 'PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
        KAFKA_CONTROLLER_QUORUM_VOTERS: '1@localhost:9093',
        KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR: '1',
      })
      .start();
  }, 300_000);

  afterAll(() => container.stop());

  it('has every event once, across a kill of the bridge', async () => {
    const lab = await startKafkaLab({ kafka, prefix: 'container' });
    try {
      const first = await lab.startBridge();
      await lab.publish(500);
      await first.kill();
      await lab.publish(500);
      const bridge = await lab.startBridge();
      await eventually(async () => expect(await lab.owners.pending()).toBe(0));
      await eventually(async () => expect(await bridge.state()).toMatchObject({ lag: 0, connected: true }));
      expect(await lab.census()).toEqual({ found: 1_000, missing: 0, doubled: 0, disordered: 0 });
    } finally {
      await lab.stop();
    }
  });
};

describe('Kafka in a container', () => {
  if (obstacle === undefined) describeInContainer();
  else it('has every event once', (context) => context.skip(obstacle));
});
