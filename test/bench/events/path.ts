import { type Bus, consumeEvents, serveRefill, startRelay, subscription } from '@millrace/bus';
import { defineEvent, entityId, strictCodec } from '@millrace/contracts';
import { AliasMoved } from '@millrace/contracts/registry';
import type { DocumentStore, Json } from '@millrace/store';

/** A real message, so that its check and its reading are part of the path. */
const definition = defineEvent(
  'millrace.bench.sample.taken.v1',
  strictCodec(AliasMoved, 'millrace.registry.v1.AliasMoved'),
);

/** The n-th event's payload. */
export const payloadOf = (n: number): Json =>
  AliasMoved.toJSON(
    AliasMoved.fromPartial({
      move: { model: 'flights', alias: 'production', toVersion: n, at: '2026-01-02T03:04:05.678Z' },
      modelDigest: `sha256:${'0'.repeat(64)}`,
    }),
  ) as Json;

/** Entities that the changes go round: each one's events follow one another. */
export const entities = 500;

/**
 * A producer and a consumer, each with a durable store of its own, with everything between them: document and event in
 * one commit, relay, JetStream, consumer with its effect and inbox position in one commit.
 */
export class EventPath {
  readonly #producer: DocumentStore;
  readonly #consumer: DocumentStore;
  readonly #samples;
  readonly #effects;
  readonly #versions = new Map<string, number>();
  readonly #handledTimes = new Map<number, number>();
  /** `performance.now()` at the call of each change's commit. */
  readonly #calledAt: number[] = [];
  /** Milliseconds from the call of the commit to the end of the consumer's effect. */
  readonly latencies: number[] = [];

  private constructor(producer: DocumentStore, consumer: DocumentStore) {
    this.#producer = producer;
    this.#consumer = consumer;
    this.#samples = producer.collection<{ readonly n: number }>({ name: 'samples' });
    this.#effects = consumer.collection<{ readonly n: number }>({ name: 'effects' });
  }

  static async start(bus: Bus, producer: DocumentStore, consumer: DocumentStore): Promise<EventPath> {
    const path = new EventPath(producer, consumer);
    path.#connect(bus);
    return path;
  }

  #connect(bus: Bus): void {
    const { outbox } = this.#producer;
    startRelay({ bus, outbox });
    serveRefill({ bus, outbox });
    const handle = subscription(definition, async ({ data }, { handled }) => {
      const n = data.move?.toVersion ?? 0;
      await this.#effects.commit({ key: String(n), expected: 0, document: { n }, handled });
      this.latencies.push(performance.now() - (this.#calledAt[n] ?? 0));
      this.#handledTimes.set(n, (this.#handledTimes.get(n) ?? 0) + 1);
      return { kind: 'done' };
    });
    consumeEvents(bus, {
      name: 'bench',
      inbox: this.#consumer.inbox,
      maxInFlight: 1_024,
      subscriptions: [handle],
    });
  }

  /** The n-th change of state with its event; resolves when it is durable. */
  async change(n: number): Promise<void> {
    const key = String(n % entities);
    const expected = this.#versions.get(key) ?? 0;
    this.#versions.set(key, expected + 1);
    const { subject, type } = definition;
    this.#calledAt[n] = performance.now();
    const data = payloadOf(n);
    await this.#samples.commit({
      key,
      expected,
      document: { n },
      messages: [{ subject, type, entity: entityId(definition, key), key, data }],
    });
  }

  async allHandled(count: number): Promise<void> {
    while (this.#handledTimes.size < count) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  /** How the effects differ from one for each of that many changes. */
  async mismatch(count: number): Promise<{ readonly lost: number; readonly doubled: number }> {
    const doubled = [...this.#handledTimes.values()].filter((times) => times > 1).length;
    return { lost: count - (await this.#effects.count()), doubled };
  }

  async close(): Promise<void> {
    await this.#producer.close();
    await this.#consumer.close();
  }
}
