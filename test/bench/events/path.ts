import { type Bus, consumeEvents, serveRefill, startRelay, subscription } from '@millrace/bus';
import { defineEvent, entityId, type MessageCodec } from '@millrace/contracts';
import type { DocumentStore } from '@millrace/store';

interface Sample {
  readonly n: number;
  /** `performance.now()` at the commit's call. */
  readonly at: number;
}

const codec: MessageCodec<Sample> = {
  encode: () => ({ finish: () => new Uint8Array() }),
  decode: () => ({ n: 0, at: 0 }),
  fromJSON: (json) => json as Sample,
  toJSON: (message) => message,
};

const definition = defineEvent<Sample>('millrace.bench.sample.taken.v1', codec);

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
    const handle = subscription(definition, async ({ data: { n, at } }, { handled }) => {
      await this.#effects.commit({ key: String(n), expected: 0, document: { n }, handled });
      this.latencies.push(performance.now() - at);
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
    const data = { n, at: performance.now() };
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
