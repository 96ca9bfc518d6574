import { registryEvents } from '@millrace/contracts/registry';
import { Kafka as Binding, CloudEvent } from 'cloudevents';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, type KafkaLab, startKafkaLab } from './support/kafka-lab.ts';
import { type KafkaServer, startKafkaServer } from './support/kafka-server.ts';
import { headerOf, readTopics } from './support/read-topics.ts';

let kafka: KafkaServer;
beforeAll(async () => {
  kafka = await startKafkaServer();
}, 300_000);
afterAll(() => kafka.remove());

describe('an event in Kafka', () => {
  let lab: KafkaLab;
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  beforeAll(async () => {
    lab = await startKafkaLab({ kafka: kafka.broker, prefix: 'binding' });
  });
  afterAll(() => lab.stop());

  it('has every attribute of the CloudEvents Kafka binding', async () => {
    const key = 'flights/größe „ä“';
    const data = registryEvents.aliasMoved.codec.fromJSON({
      move: { model: 'flights', alias: 'größe „ä“', toVersion: 3 },
      modelDigest: 'sha256:00',
    });
    await lab.owners.publish(registryEvents.aliasMoved, key, data, { traceparent });
    const bridge = await lab.startBridge();
    const record = await eventually(async () => {
      const found = (await readTopics(kafka.broker, 'binding.registry'))[0];
      if (found === undefined) throw new Error('not there yet');
      return found;
    });
    expect(record.topic).toBe('binding.registry');
    expect(String(record.key)).toBe(`registry.alias/${key}`);
    const headers = Object.fromEntries(
      Object.keys(record.headers ?? {}).map((name) => [name, headerOf(record, name)]),
    );
    expect(headers).toEqual({
      ce_specversion: '1.0',
      ce_id: expect.stringMatching(/^.{20,}$/),
      ce_type: 'millrace.registry.alias.moved.v1',
      ce_source: '/millrace/registry',
      ce_subject: key,
      ce_time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      ce_sequence: '1',
      ce_millraceentity: `registry.alias/${key}`,
      ce_partitionkey: `registry.alias/${key}`,
      ce_traceparent: traceparent,
      traceparent,
      'content-type': 'application/json',
    });
    expect(JSON.parse(String(record.value))).toEqual(registryEvents.aliasMoved.codec.toJSON(data));
    await bridge.stop();
  });

  it('is read by the CloudEvents SDK as it was committed', async () => {
    const [record] = await readTopics(kafka.broker, 'binding.registry');
    if (record === undefined) throw new Error('no record');
    const { key, value, headers = {} } = record;
    const texts = Object.fromEntries(Object.keys(headers).map((name) => [name, headerOf(record, name)]));
    const message = { key: String(key), value: String(value), headers: texts, body: String(value) };
    expect(Binding.isEvent(message)).toBe(true);
    const event = Binding.toEvent(message);
    if (Array.isArray(event)) throw new Error('one event was meant');
    expect(event).toMatchObject({
      specversion: '1.0',
      type: 'millrace.registry.alias.moved.v1',
      source: '/millrace/registry',
      subject: 'flights/größe „ä“',
      datacontenttype: 'application/json',
      sequence: '1',
      partitionkey: 'registry.alias/flights/größe „ä“',
      traceparent,
      data: { move: { model: 'flights', alias: 'größe „ä“', toVersion: 3 }, modelDigest: 'sha256:00' },
    });
    expect(event).toBeInstanceOf(CloudEvent);
  });
});
